// Owns what every Introducer must do, whatever carries the requests.
import assert from 'node:assert/strict';
import type { ServerName } from '../../src/call/ids.ts';
import type { Introducer } from '../../src/control/ports/introducer.ts';

export interface IntroducerStage {
  readonly here: { readonly server: ServerName; readonly introducer: Introducer };
  readonly there: { readonly server: ServerName; readonly introducer: Introducer };
  /** A server that is not there, or behind which is no bridge. */
  readonly nowhere: ServerName;
}

export function introducerConformance(stage: () => IntroducerStage): void {
  let count = 0;
  const path = () => `spec/path-${++count}`;

  it('carries requests both ways, and says who asks', async () => {
    const { here, there } = stage();
    for (const [from, to] of [[here, there], [there, here]] as const) {
      const where = path();
      const asked: unknown[] = [];
      to.introducer.answer(where, (origin, body) => {
        asked.push({ origin, body });
        return Promise.resolve({ status: 200, content: { answer: [origin, 'é'] } });
      });
      assert.deepEqual(await from.introducer.ask(to.server, where, { question: { deep: [1, 'é'] } }), { status: 200, content: { answer: [from.server, 'é'] } });
      assert.deepEqual(asked, [{ origin: from.server, body: { question: { deep: [1, 'é'] } } }]);
    }
  });

  it('hands on refusals as they are', async () => {
    const { here, there } = stage();
    const where = path();
    there.introducer.answer(where, () => Promise.resolve({ status: 403, content: { errcode: 'M_FORBIDDEN', error: 'no' } }));
    assert.deepEqual(await here.introducer.ask(there.server, where, { a: 1 }), { status: 403, content: { errcode: 'M_FORBIDDEN', error: 'no' } });
  });

  it('answers 404 where there is no handler', async () => {
    const { here, there } = stage();
    const { status, content } = await here.introducer.ask(there.server, path(), { a: 1 });
    assert.equal(status, 404);
    assert.equal((content as { errcode?: string }).errcode, 'M_UNRECOGNIZED');
  });

  it('takes one handler per path', () => {
    const { here } = stage();
    const where = path();
    here.introducer.answer(where, () => Promise.resolve({ status: 200, content: {} }));
    assert.throws(() => here.introducer.answer(where, () => Promise.resolve({ status: 200, content: {} })));
  });

  it('throws in words that name the server which it does not reach', async () => {
    const { here, nowhere } = stage();
    await assert.rejects(here.introducer.ask(nowhere, path(), { a: 1 }), (error: unknown) => error instanceof Error && error.message.includes(nowhere));
  });
}
