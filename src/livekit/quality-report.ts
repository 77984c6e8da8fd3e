// Owns the words for a connection's quality. Pure.
import type { ParticipantId } from '../call/ids.ts';
import type { EndpointQuality } from '../control/ports/media-plane.ts';
import type { ConnectionQuality } from '../control/ports/session.ts';

const goodFrom = 5;
const excellentFrom = 8;

/** The worse direction counts; a person who neither sends nor receives has nothing to complain of. */
export function judgeConnection(participant: ParticipantId, { uplinkScore, downlinkScore }: EndpointQuality): ConnectionQuality {
  const worse = Math.min(uplinkScore ?? 10, downlinkScore ?? 10);
  return { participant, level: worse >= excellentFrom ? 'excellent' : worse >= goodFrom ? 'good' : 'poor', score: worse / 2 };
}
