// Owns the MatrixRTC authorisation service's legacy door: OpenID token in, LiveKit URL and ticket out (MSC4195, `/sfu/get`).
import { z } from 'zod';
import { isRoomId, type RoomId } from '../call/ids.ts';
import type { Admission } from '../control/admission.ts';
import type { Route } from '../control/ports/route.ts';
import { ok } from '../util/result.ts';
import { checkBody, deviceText, openIdToken } from './bodies.ts';

export interface RtcRoutesOptions {
  readonly admission: Pick<Admission, 'admit'>;
  /** `wss://…` where clients open their signalling. */
  readonly liveKitUrl: string;
}

// Unknown members are ignored: clients send more with every version (delay_id, …).
const sfuGet = z.object({
  room: z.custom<RoomId>((value) => typeof value === 'string' && isRoomId(value), 'must be a room id'),
  openid_token: openIdToken,
  device_id: deviceText,
});

export function rtcRoutes({ admission, liveKitUrl }: RtcRoutesOptions): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/sfu/get',
      anyOrigin: true,
      perMinute: 240,
      run: async (request) => {
        const body = checkBody(sfuGet, request.body);
        if (!body.ok) return body;
        const { room, openid_token: token, device_id: device } = body.value;
        const admitted = await admission.admit({ proof: { kind: 'openId', token }, at: { kind: 'room', room }, device });
        return admitted.ok ? ok({ url: admitted.value.url ?? liveKitUrl, jwt: admitted.value.ticket }) : admitted;
      },
    },
  ];
}
