// Owns what every RoomVoice must do, whatever is behind it.
import assert from 'node:assert/strict';
import { isSlug, parse, type RoomId, type UserId } from '../../src/call/ids.ts';
import type { CallNotice, Delivery, RoomVoice } from '../../src/control/ports/room-voice.ts';

export interface RoomVoiceStage {
  readonly voice: RoomVoice;
  readonly owner: UserId;
  /** A room that the bot is in. */
  readonly room: () => Promise<RoomId>;
  /** How many messages of the bot with this text (edits included) the room has. */
  readonly countOf: (room: RoomId, text: string) => Promise<number>;
  readonly whileDown: (work: () => Promise<void>) => Promise<void>;
}

export function roomVoiceConformance(stage: () => RoomVoiceStage): void {
  const slug = parse(isSlug, 'abcdefghijklmnopqrst', 'slug');
  const notice = (room: RoomId, change: Partial<CallNotice> = {}): CallNotice => ({
    room, callId: 'C_conformance', slug, state: 'open', movedTo: undefined, continued: false, pages: [], impaired: [], startedBy: stage().owner, startedAtMs: 0, endedAtMs: undefined, people: [], widgetSet: true, language: 'fr', ...change,
  });
  const idOf = (delivery: Delivery) => {
    assert.ok(delivery.kind === 'sent' && delivery.eventId !== undefined, JSON.stringify(delivery));
    return delivery.eventId;
  };

  it('posts a notice once however often it is sent, and edits it as another event', async () => {
    const { voice, room } = stage();
    const where = await room();
    const first = idOf(await voice.notice(notice(where), undefined, `${where}.notice`));
    assert.equal(idOf(await voice.notice(notice(where), undefined, `${where}.notice`)), first);
    const edited = idOf(await voice.notice(notice(where, { state: 'ended', endedAtMs: 60_000 }), first, `${where}.notice.2`));
    assert.notEqual(edited, first);
    assert.equal(idOf(await voice.notice(notice(where, { state: 'ended', endedAtMs: 60_000 }), first, `${where}.notice.2`)), edited);
  });

  it('says a message once however often it is sent', async () => {
    const { voice, room, countOf } = stage();
    const where = await room();
    const content = { msgtype: 'm.notice', body: `words in ${where}` };
    const first = idOf(await voice.message(where, content, `${where}.words`));
    assert.equal(idOf(await voice.message(where, content, `${where}.words`)), first);
    assert.equal(await countOf(where, content.body), 1);
  });

  it('puts off what cannot be delivered now, and delivers it once afterwards', async () => {
    const { voice, room, countOf, whileDown } = stage();
    const where = await room();
    const content = { msgtype: 'm.notice', body: `late words in ${where}` };
    await whileDown(async () => {
      assert.equal((await voice.message(where, content, `${where}.late`)).kind, 'later');
      assert.equal((await voice.notice(notice(where), undefined, `${where}.late.notice`)).kind, 'later');
      assert.equal((await voice.widget(where, slug, 'fr')).kind, 'later');
    });
    idOf(await voice.message(where, content, `${where}.late`));
    assert.equal(await countOf(where, content.body), 1);
  });
}
