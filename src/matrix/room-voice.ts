// Owns RoomVoice: what the bridge says and sets in rooms, with each failure sorted into "later" or "never".
import type { RoomId, UserId } from '../call/ids.ts';
import { levelToSend } from '../call/roles.ts';
import type { RoomDirectory } from '../control/ports/room-directory.ts';
import type { CallNotice, Delivery, RoomVoice } from '../control/ports/room-voice.ts';
import type { Logger } from '../log/logger.ts';
import { audienceOf } from './audience.ts';
import type { BotClient, Content } from './bot-client.ts';
import type { Encryption } from './encryption/encryption.ts';
import { megolm } from './event-schemas.ts';
import { asHomeserverError } from './homeserver-error.ts';
import { editContent, noticeContent } from './live-notice.ts';
import type { Addresses } from './notice-text.ts';
import type { RoomEncryption } from './room-directory.ts';
import { oneLine } from './text.ts';
import { putWidget, widgetContent, widgetEventType } from './widget.ts';

export interface RoomVoiceOptions {
  readonly client: BotClient;
  readonly bot: UserId;
  readonly directory: Pick<RoomDirectory, 'powerLevels'> & { encryption(room: RoomId): Promise<RoomEncryption | undefined> };
  /** Undefined: the bot does not speak in encrypted rooms. */
  readonly encryption: Pick<Encryption, 'encrypt'> | undefined;
  readonly addresses: Addresses;
  readonly log: Logger;
}

const messageType = 'm.room.message';

export function createRoomVoice({ client, bot, directory, encryption, addresses, log }: RoomVoiceOptions): RoomVoice {
  /** Never in clear where people expect encryption. */
  const send = async (room: RoomId, txnId: string, content: Content): Promise<Delivery> => {
    const wanted = await directory.encryption(room);
    if (wanted === undefined) return { kind: 'sent', eventId: await client.send(room, messageType, txnId, content) };
    if (encryption === undefined) return { kind: 'refused', forbidden: false, detail: 'the room is encrypted: the bot does not speak in clear there' };
    if (wanted.algorithm !== megolm) return { kind: 'refused', forbidden: false, detail: `the room is encrypted in a way that the bot does not know (${oneLine(wanted.algorithm)})` };
    const cipher = await encryption.encrypt({ room, type: messageType, content, audience: await audienceOf(client, room), rules: wanted.rules });
    // The same txnId each time: however often it is encrypted, it is said once.
    return { kind: 'sent', eventId: await client.send(room, 'm.room.encrypted', txnId, cipher) };
  };
  const deliver = (room: RoomId, what: string, work: () => Promise<Delivery>): Promise<Delivery> => work().catch((thrown: unknown) => failed(asHomeserverError(thrown, what), room, what));
  const failed = (error: ReturnType<typeof asHomeserverError>, room: RoomId, what: string): Delivery => {
    if (error.isTransient) {
      log.info('delivery put off', { what, room, detail: error.message, retryAfterMs: error.retryAfterMs });
      return { kind: 'later', retryAfterMs: error.retryAfterMs, detail: error.message };
    }
    log.debug('delivery refused', { what, room, detail: error.message });
    return { kind: 'refused', forbidden: error.isForbidden, detail: error.message };
  };
  const levelForWidget = async (notice: CallNotice): Promise<number | undefined> => {
    if (notice.widgetSet || notice.state === 'ended') return undefined;
    const levels = await directory.powerLevels(notice.room);
    return levels.ok ? levelToSend(widgetEventType, levels.value) : undefined;
  };
  return {
    notice: (notice, noticeId, txnId) =>
      deliver(notice.room, 'notice', async () => {
        const content = noticeContent(notice, { addresses, bot, widgetLevel: await levelForWidget(notice) });
        return await send(notice.room, txnId, noticeId === undefined ? content : editContent(content, noticeId));
      }),
    message: (room, content, txnId) => deliver(room, 'message', () => send(room, txnId, content)),
    widget: (room, slug, language) =>
      deliver(room, 'widget', async () => {
        await putWidget(client, room, slug === undefined ? {} : widgetContent(slug, language, bot, addresses));
        return { kind: 'sent', eventId: undefined };
      }),
  };
}
