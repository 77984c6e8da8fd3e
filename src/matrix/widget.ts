// Owns the room's widget: a state event by which clients show the call page inside the room.
import { isDeepStrictEqual } from 'node:util';
import type { RoomId, Slug, UserId } from '../call/ids.ts';
import type { Language } from '../control/ports/room-voice.ts';
import type { BotClient, Content } from './bot-client.ts';
import { phrasesOf } from './i18n/language.ts';
import { pageUrl, type Addresses } from './notice-text.ts';

export const widgetEventType = 'im.vector.modular.widgets';
const widgetStateKey = 'viaduc';

// Clients put the values in place of the names with a dollar sign (MSC1236, MSC2873, MSC3819).
const parameters = [
  'widgetId=$matrix_widget_id',
  'userId=$matrix_user_id',
  'deviceId=$org.matrix.msc3819.matrix_device_id',
  'lang=$org.matrix.msc2873.client_language',
  'theme=$org.matrix.msc2873.client_theme',
].join('&');

export function widgetContent(slug: Slug, language: Language, bot: UserId, addresses: Addresses): Content {
  return {
    type: 'm.custom',
    name: phrasesOf(language).widgetName,
    creatorUserId: bot,
    url: `${pageUrl(addresses, slug)}?${parameters}`,
    data: {},
  };
}

/** Post: the room's state is `content`. False: it was so already. @throws HomeserverError */
export async function putWidget(client: BotClient, room: RoomId, content: Content): Promise<boolean> {
  const current = (await client.state(room, widgetEventType, widgetStateKey)) ?? {};
  if (isDeepStrictEqual(current, content)) return false;
  await client.setState(room, widgetEventType, widgetStateKey, content);
  return true;
}
