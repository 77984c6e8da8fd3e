// Owns the MatrixRTC authorisation service's legacy door: OpenID token in, LiveKit URL and ticket out (MSC4195, `/sfu/get`).
import { z } from 'zod';
import { isRoomId, type RoomId, type ServerName } from '../call/ids.ts';
import type { Admission } from '../control/admission.ts';
import type { LeaveKeeper } from '../control/leave-keeper.ts';
import type { Route } from '../control/ports/route.ts';
import { ok } from '../util/result.ts';
import { checkBody, deviceText, openIdToken } from './bodies.ts';

export interface RtcRoutesOptions {
  readonly admission: Pick<Admission, 'admit'>;
  readonly leaves: Pick<LeaveKeeper, 'keep'>;
  /** Ours: delayed events of its people are at a homeserver that we speak to. */
  readonly server: ServerName;
  /** `wss://…` where clients open their signalling. */
  readonly liveKitUrl: string;
}

// Unknown members are ignored: clients send more with every version.
const sfuGet = z.object({
  room: z.custom<RoomId>((value) => typeof value === 'string' && isRoomId(value), 'must be a room id'),
  openid_token: openIdToken,
  device_id: deviceText,
  // What the client has left with its homeserver, for us to see to (MSC4140).
  delay_id: z.string().min(1).max(255).optional(),
  delay_timeout: z.int().min(0).optional(),
});

export function rtcRoutes({ admission, leaves, server, liveKitUrl }: RtcRoutesOptions): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/sfu/get',
      anyOrigin: true,
      perMinute: 240,
      run: async (request) => {
        const body = checkBody(sfuGet, request.body);
        if (!body.ok) return body;
        const { room, openid_token: token, device_id: device, delay_id: delayId, delay_timeout: delayMs } = body.value;
        const admitted = await admission.admit({ proof: { kind: 'openId', token }, at: { kind: 'room', room }, device });
        if (!admitted.ok) return admitted;
        if (delayId !== undefined && delayMs !== undefined && admitted.value.identity.server === server) {
          const kept = leaves.keep({ room, identity: admitted.value.identity.identity, delayId, delayMs });
          if (!kept.ok) return kept;
        }
        return ok({ url: admitted.value.url ?? liveKitUrl, jwt: admitted.value.ticket });
      },
    },
  ];
}
