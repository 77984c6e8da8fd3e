// Owns the check that one person talks to the bridge of their own organisation only: page, signalling and media.
import type { BridgePlace } from '../demo.ts';
import type { Checklist } from './checklist.ts';
import type { ColumnPage } from './column-page.ts';
import type { MediaStatistics } from './media-probe.ts';

/** Three rows: what the widget has asked over http, the WebSockets that the call page has ever opened, and the other end of its peer connections. */
export async function checkConnections(column: ColumnPage, home: BridgePlace, list: Checklist): Promise<void> {
  await list.step(`${column.localpart}'s page and its questions: ${home.organisation}'s bridge only, but for the frame around it`, async () => {
    const { frame, page } = await column.requests();
    list.figures[`requests.${column.localpart}`] = distinct([...frame.map((url) => `frame ${originOf(url)}`), ...page.map(originOf)]);
    const found = onlyAt(page.map(originOf), [home.publicUrl], 'request');
    onlyFrame(frame);
    return frame.length === 0 ? found : `${found}, after ${String(frame.length)} for the frame`;
  });
  const { sockets, remotes } = await column.media();
  await list.step(`${column.localpart}'s signalling: ${home.organisation}'s bridge only`, () => {
    list.figures[`sockets.${column.localpart}`] = distinct(sockets);
    return Promise.resolve(onlyAt(sockets, [home.publicUrl.replace(/^http/, 'ws')], 'WebSocket'));
  });
  await list.step(`${column.localpart}'s media: ${home.organisation}'s bridge only`, () => {
    const ends = remotes.map(endOf);
    list.figures[`media.${column.localpart}`] = distinct(ends);
    return Promise.resolve(onlyAt(ends, home.mediaPorts.flatMap((port) => ['udp', 'tcp'].map((protocol) => endOf({ protocol, address: '127.0.0.1', port }))), 'peer connection'));
  });
}

/** Where another bridge speaks for the call, it serves the document of a frame, its script and its style: nothing else. @throws naming what else there is */
export function onlyFrame(urls: readonly string[]): void {
  const more = urls.filter((url) => !/^\/c\/([a-z2-7]+|assets\/home-frame-[\w-]+\.(js|css))$/.test(new URL(url).pathname));
  if (more.length > 0) throw new Error(`the frame asks for ${more.join(', ')}`);
}

/** What was found, in words. @throws if there is none, or one elsewhere */
export function onlyAt(found: readonly string[], allowed: readonly string[], what: string): string {
  if (found.length === 0) throw new Error(`there is no ${what}`);
  const strange = distinct(found.filter((each) => !allowed.includes(each)));
  if (strange.length > 0) throw new Error(`${what} to ${strange.join(', ')} instead of ${allowed.join(', ')}`);
  return `${String(found.length)} to ${distinct(found).join(', ')}`;
}

function endOf({ protocol, address, port }: MediaStatistics['remotes'][number]): string {
  return `${protocol} ${address}:${String(port)}`;
}

function originOf(url: string): string {
  return new URL(url).origin;
}

function distinct(list: readonly string[]): readonly string[] {
  return [...new Set(list)];
}
