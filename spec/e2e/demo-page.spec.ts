// Owns the proof that the columns of the demo's page are real clients: hostile HTML, membership, widgets and their tokens.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Browser, Locator, Page } from 'playwright-core';
import type { DemoInfo } from '../../src/demo/demo-info.ts';
import { hostOf, organisationPorts, organisations } from '../../src/demo/organisations.ts';
import { startPageServer } from '../../src/demo/page-server.ts';
import { launchChromium, openPage } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { type Federation, startFederation } from '../support/homeservers.ts';
import type { MatrixUser } from '../support/matrix-user.ts';
import { specBasePort } from '../support/run.ts';

/** A widget that asks who its user is and writes down the answer (MSC1960). */
const askingWidget = `<!doctype html><title>widget</title><output id="answer"></output><script>
  addEventListener('message', ({ data }) => {
    const send = (message) => parent.postMessage(message, '*');
    if (data.api === 'toWidget') {
      send({ ...data, response: data.action === 'capabilities' ? { capabilities: ['m.always_on_screen', 'm.send.event:m.room.message'] } : {} });
      if (data.action === 'notify_capabilities') {
        document.title = data.data.approved.join(',');
        send({ api: 'fromWidget', requestId: 'ask', action: 'get_openid', widgetId: data.widgetId, data: {} });
      }
    } else if (data.requestId === 'ask') document.getElementById('answer').textContent = data.response.state + ' ' + (data.response.matrix_server_name ?? '');
  });
</script>`;

describe('page of the demo', function () {
  this.timeout(120_000);
  const [interieur] = organisations;
  const ports = organisationPorts(specBasePort(), 0);
  const trusted = `http://${hostOf(interieur)}:${ports.page}`;
  const stranger = `http://localhost:${ports.page}`;
  const complaints: string[] = [];
  const stack = new AsyncDisposableStack();
  let federation: Federation;
  let browser: Browser;
  let alice: MatrixUser;
  let bob: MatrixUser;
  let room: string;
  let page: Page;
  let column: Locator;

  before(async () => {
    federation = stack.use(await startFederation({ size: 2 }));
    [alice, bob] = [await federation.user(0, 'alice'), await federation.user(1, 'bob')];
    room = await alice.createRoom({ invite: [bob.userId], name: 'Essai' });
    await bob.join(room, federation.server(0).serverName);
    const widgets: Server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(askingWidget)).listen(ports.page, '127.0.0.1');
    await once(widgets, 'listening');
    stack.defer(() => {
      widgets.close();
      widgets.closeAllConnections();
    });
    const pagePort = specBasePort() - 40;
    stack.use(await startPageServer(pagePort, demoInfo()));
    browser = await launchChromium();
    stack.defer(() => browser.close());
    page = await openPage(browser, `http://localhost:${pagePort}/?solo=bob&lang=fr`, (text) => complaints.push(text));
    column = page.getByTestId('column-bob');
    await column.and(page.locator('[data-status="live"]')).waitFor();
  });
  after(async () => stack.disposeAsync());

  function demoInfo(): DemoInfo {
    return {
      language: 'fr',
      roomId: room,
      command: '!visio',
      botUserIds: [`@visio:${federation.server(0).serverName}`],
      callOrigins: [trusted],
      columns: [alice, bob].map(({ userId }, index) => {
        const organisation = organisations[index] ?? interieur;
        const localpart = index === 0 ? 'alice' : 'bob';
        assert.ok(userId.startsWith(`@${localpart}:`));
        return { organisation: organisation.id, organisationName: organisation.name, serverName: federation.server(index).serverName, homeserverUrl: federation.server(index).publicUrl, localpart, displayName: localpart, password: `password of ${localpart}` };
      }),
    };
  }

  it('sends what is typed, once, and shows it where it belongs', async () => {
    const heard = alice.next('what bob types', (event) => event.sender === bob.userId && event.type === 'm.room.message');
    await column.getByTestId('composer').fill('Bonjour');
    await column.getByTestId('composer').press('Enter');
    assert.deepEqual((await heard).content, { msgtype: 'm.text', body: 'Bonjour' });
    await eventually(async () => ((await column.getByTestId('outgoing').count()) === 0 ? undefined : 'the message is still on its way'));
    assert.deepEqual(await column.getByTestId('message').allInnerTexts(), ['Bonjour']);
  });

  it('shows HTML of others without anything that acts', async () => {
    const formatted_body = [
      '<b>gras</b> <a href="https://example.org/x" onclick="steal()" style="position:fixed">lien</a> <a href="javascript:steal()">piège</a>',
      '<img src=x onerror="steal()"><script>steal()</script><iframe src="https://example.org"></iframe><svg onload="steal()"></svg><form action="/x"><input name="a"></form><h1>titre</h1>',
    ].join('');
    await alice.send(room, 'm.room.message', { msgtype: 'm.text', body: 'x', format: 'org.matrix.custom.html', formatted_body });
    const message = column.getByTestId('message').last();
    await message.getByText('gras').waitFor();
    const expected = '<b>gras</b> <a href="https://example.org/x" target="_blank" rel="noopener noreferrer">lien</a> <span>piège</span><strong>titre</strong>';
    assert.equal(await message.innerHTML(), expected);
  });

  it('fills in a widget\'s address and gives a token to an origin it trusts', async () => {
    await showWidget(`${trusted}/c/x?user=$matrix_user_id&room=$matrix_room_id&device=$org.matrix.msc3819.matrix_device_id&lang=$org.matrix.msc2873.client_language&theme=$org.matrix.msc2873.client_theme&id=$matrix_widget_id`);
    const frame = column.getByTestId('call-frame');
    const address = new URL((await frame.getAttribute('src')) ?? '');
    const { device, ...query } = Object.fromEntries(address.searchParams);
    assert.match(device ?? '', /^DEMO[0-9A-F]{8}$/);
    assert.deepEqual(query, { user: bob.userId, room, lang: 'fr', theme: 'light', id: 'viaduc-bob', widgetId: 'viaduc-bob', parentUrl: `http://localhost:${specBasePort() - 40}/` });
    assert.match((await frame.getAttribute('allow')) ?? '', /camera; microphone; display-capture; autoplay; clipboard-write/);
    await frame.contentFrame().getByText(`allowed ${federation.server(1).serverName}`).waitFor();
    const inner = await (await frame.elementHandle()).contentFrame();
    assert.equal(await inner?.title(), 'm.always_on_screen', 'other capabilities are refused');
    await alice.setState(room, 'im.vector.modular.widgets', 'viaduc', {});
    await column.getByTestId('call-panel').waitFor({ state: 'detached' });
  });

  it('does not even load a widget of another origin', async () => {
    await showWidget(`${stranger}/c/y`);
    await eventually(() => (complaints.some((text) => text.includes(stranger) && text.includes('frame-src')) ? undefined : 'the browser has not refused the frame'));
    await alice.setState(room, 'im.vector.modular.widgets', 'viaduc', {});
    await column.getByTestId('call-panel').waitFor({ state: 'detached' });
  });

  it('says that somebody was put out, and lets them come back when invited', async () => {
    await alice.kick(room, bob.userId);
    await column.getByTestId('gone').getByText('alice vous a exclu de ce salon.').waitFor();
    assert.equal(await column.getByTestId('composer').count(), 0);
    await alice.invite(room, bob.userId);
    await column.getByTestId('accept-button').click();
    await column.getByTestId('composer').waitFor();
  });

  it('goes on after its homeserver was away', async () => {
    await federation.server(1).kill();
    await column.and(page.locator('[data-status="offline"]')).waitFor();
    await alice.say(room, 'pendant la panne');
    await federation.server(1).start();
    await column.getByText('pendant la panne').waitFor();
    await column.and(page.locator('[data-status="live"]')).waitFor();
  });

  it('complains of nothing but the homeserver that was away and what its policy refused', () => {
    assert.deepEqual(complaints.filter((text) => !/Failed to load resource: net::ERR_|inline (event handler|style) violates|frame-src/.test(text)), []);
  });

  /** A call's notice and the widget it belongs to, then the press on Join. */
  async function showWidget(url: string): Promise<void> {
    const { origin, pathname } = new URL(url);
    await alice.setState(room, 'im.vector.modular.widgets', 'viaduc', { type: 'm.custom', name: 'Appel', creatorUserId: alice.userId, url, data: {} });
    await alice.send(room, 'm.room.message', { msgtype: 'm.notice', body: 'Appel', 'fr.viaduc.call': { call_id: 'c', state: 'open', people: [], url: origin + pathname } });
    await column.getByTestId('call-join').last().click();
  }
});
