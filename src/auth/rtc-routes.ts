// Owns the doors of the MatrixRTC authorisation service that clients have today: OpenID token in, LiveKit URL and ticket out (MSC4195's `/sfu/get` and `/get_token`).
import { z } from 'zod';
import type { CallError } from '../call/errors.ts';
import { isRoomId, isUserId, type RoomId, type ServerName, type UserId } from '../call/ids.ts';
import type { Admission, AdmissionRequest } from '../control/admission.ts';
import type { LeaveKeeper } from '../control/leave-keeper.ts';
import type { Route } from '../control/ports/route.ts';
import { ok, type Result } from '../util/result.ts';
import { checkBody, deviceText, openIdToken } from './bodies.ts';
import { memberIdentity } from './rtc-identity.ts';

export interface RtcRoutesOptions {
  readonly admission: Pick<Admission, 'admit'>;
  readonly leaves: Pick<LeaveKeeper, 'keep'>;
  /** Ours: delayed events of its people are at a homeserver that we speak to. */
  readonly server: ServerName;
  /** `wss://…` where clients open their signalling. */
  readonly liveKitUrl: string;
}

/** The one call of a room. */
const roomSlot = 'm.call#ROOM';
const roomId = z.custom<RoomId>((value) => typeof value === 'string' && isRoomId(value), 'must be a room id');
// What the client has left with its homeserver, for us to see to (MSC4140).
const delay = { delay_id: z.string().min(1).max(255).optional(), delay_timeout: z.int().min(0).optional() };

// Unknown members are ignored: clients send more with every version.
const sfuGet = z.object({ room: roomId, openid_token: openIdToken, device_id: deviceText, ...delay });
const getToken = z.object({
  room_id: roomId,
  slot_id: z.literal(roomSlot),
  openid_token: openIdToken,
  member: z.object({ id: z.string().min(1).max(255), claimed_user_id: z.custom<UserId>((value) => typeof value === 'string' && isUserId(value), 'must be a user id'), claimed_device_id: deviceText }),
  ...delay,
});

interface Leave {
  readonly delay_id?: string | undefined;
  readonly delay_timeout?: number | undefined;
}

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
        const { room, openid_token: token, device_id: device } = body.value;
        return admit(room, { proof: { kind: 'openId', token }, device }, body.value);
      },
    },
    {
      method: 'POST',
      path: '/get_token',
      anyOrigin: true,
      perMinute: 240,
      run: async (request) => {
        const body = checkBody(getToken, request.body);
        if (!body.ok) return body;
        const { room_id: room, openid_token: token, member } = body.value;
        const { claimed_user_id: user, claimed_device_id: device } = member;
        return admit(room, { proof: { kind: 'openId', token }, device, claimed: { user, identity: memberIdentity(user, device, member.id) } }, body.value);
      },
    },
  ];

  async function admit(room: RoomId, request: Omit<AdmissionRequest, 'at'>, { delay_id: delayId, delay_timeout: delayMs }: Leave): Promise<Result<object, CallError>> {
    const admitted = await admission.admit({ ...request, at: { kind: 'room', room } });
    if (!admitted.ok) return admitted;
    if (delayId !== undefined && delayMs !== undefined && admitted.value.identity.server === server) {
      const kept = leaves.keep({ room, identity: admitted.value.identity.identity, delayId, delayMs });
      if (!kept.ok) return kept;
    }
    return ok({ url: admitted.value.url ?? liveKitUrl, jwt: admitted.value.ticket });
  }
}
