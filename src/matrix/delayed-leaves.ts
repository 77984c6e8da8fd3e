// Owns DelayedLeaves: putting off and sending delayed events at our homeserver (MSC4140; it asks for no proof but the event's id).
import type { DelayedLeaveAnswer, DelayedLeaves } from '../control/ports/delayed-leaves.ts';
import type { BotClient } from './bot-client.ts';
import { HomeserverError } from './homeserver-error.ts';

export function createDelayedLeaves({ client }: { readonly client: Pick<BotClient, 'delayedEvent'> }): DelayedLeaves {
  const ask = async (delayId: string, action: 'restart' | 'send'): Promise<DelayedLeaveAnswer> => {
    try {
      await client.delayedEvent(delayId, action);
      return { kind: 'done' };
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      // 409: it is being sent at this moment.
      return error.status === 404 || error.status === 409 ? { kind: 'gone' } : { kind: 'later', retryAfterMs: error.retryAfterMs, detail: error.message };
    }
  };
  return {
    putOff: (delayId) => ask(delayId, 'restart'),
    send: (delayId) => ask(delayId, 'send'),
  };
}
