// Owns what a client may ask of its session, message by message; keepalive and farewell are the session's own.
import { RequestResponse, RequestResponse_Reason, type UpdateParticipantMetadata } from '@livekit/protocol';
import { isTrackId } from '../call/ids.ts';
import type { SessionControl } from '../control/ports/session.ts';
import type { Publisher } from './publisher.ts';
import type { Incoming, Send } from './signal-socket.ts';
import type { Subscriber } from './subscriber.ts';
import { fromMetadata, fromSubscription, fromWish, toTrackIds } from './wire-in.ts';

export interface RequestContext {
  readonly publisher: Publisher;
  readonly subscriber: Subscriber;
  readonly control: SessionControl;
  /** Below 15 a client does not expect an answer to a request that succeeded. */
  readonly protocol: number;
  readonly send: Send;
}

/** Requests about tracks that have gone do nothing. @throws SdpError for a session description that cannot be used */
export async function serveRequest(message: Incoming, context: RequestContext): Promise<void> {
  const { publisher, subscriber, control } = context;
  switch (message.case) {
    case 'offer':
      await publisher.offer(message.value);
      return;
    case 'answer':
      await subscriber.answered(message.value);
      return;
    case 'addTrack':
      await publisher.addTrack(message.value);
      return;
    case 'mute':
      if (isTrackId(message.value.sid)) await publisher.setMuted(message.value.sid, message.value.muted);
      return;
    case 'trackSetting':
      await subscriber.wish(toTrackIds(message.value.trackSids), fromWish(message.value));
      return;
    case 'subscription': {
      const { tracks, subscribe } = fromSubscription(message.value);
      await subscriber.subscribe(tracks, subscribe);
      return;
    }
    case 'updateMetadata':
      await updateSelf(message.value, context);
      return;
    case 'updateAudioTrack':
      if (isTrackId(message.value.trackSid)) await control.updateTrack(message.value.trackSid, { audioFeatures: message.value.features });
      return;
    case 'updateVideoTrack':
      if (isTrackId(message.value.trackSid)) await control.updateTrack(message.value.trackSid, { width: message.value.width, height: message.value.height });
      return;
    default:
      // trickle: we are ICE-lite. Subscription permissions, data tracks, simulations: not served.
      return;
  }
}

async function updateSelf(request: UpdateParticipantMetadata, { control, protocol, send }: RequestContext): Promise<void> {
  const { requestId } = request;
  const result = await control.updateSelf(fromMetadata(request));
  if (result.ok) {
    if (protocol >= 15) send({ case: 'requestResponse', value: new RequestResponse({ requestId, reason: RequestResponse_Reason.OK }) });
    return;
  }
  const reason = result.error.code === 'limitExceeded' ? RequestResponse_Reason.LIMIT_EXCEEDED : RequestResponse_Reason.NOT_ALLOWED;
  send({ case: 'requestResponse', value: new RequestResponse({ requestId, reason, message: 'the change was refused' }) });
}
