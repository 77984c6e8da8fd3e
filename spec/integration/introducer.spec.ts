// Owns the proof that two bridges are introduced by their real homeservers (MSC4512), and that nobody else is.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { createPeerLinks, type CascadeLinks } from '../../src/cascade/link-set.ts';
import type { ServerName } from '../../src/call/ids.ts';
import type { PeerMessage } from '../../src/control/ports/peer-links.ts';
import { silentLogger } from '../../src/log/logger.ts';
import { organisationPorts } from '../../src/demo/organisations.ts';
import { systemRandom } from '../../src/util/system.ts';
import { introducerConformance } from '../ports/introducer.conformance.ts';
import { voucherConformance } from '../ports/voucher.conformance.ts';
import { roomId, serverName } from '../support/builders.ts';
import { realClock } from '../support/clocks.ts';
import { eventually } from '../support/eventually.ts';
import { startFederation, type Federation } from '../support/homeservers.ts';
import { bridgeRegistration, matrixBridge, serverNameOf, type MatrixBridge } from '../support/matrix-bridge.ts';
import { specBasePort } from '../support/run.ts';

const proxying = (change: object) => Object.fromEntries(Object.entries(change).filter(([key]) => !key.startsWith('io.element.msc4512')));

describe('bridges and their real homeservers', () => {
  describe('that carry requests between bridges', () => {
    const registrations = [bridgeRegistration(0), bridgeRegistration(1), bridgeRegistration(2)] as const;
    const [interieur, finances, defense] = [serverNameOf(0), serverNameOf(1), serverNameOf(2)];
    let federation: Federation;
    const bridges: MatrixBridge[] = [];
    const bridge = (index: number): MatrixBridge => bridges[index] ?? assert.fail('not started');

    before(async () => {
      federation = await startFederation({ size: 3, settings: (index) => ({ registrations: [registrations[index]?.content ?? {}] }) });
      bridges.push(...registrations.map(({ registration }, index) => matrixBridge({ index, registration })));
      await Promise.all(bridges.map((each) => each.start()));
    });
    after(async () => {
      await Promise.all(bridges.map((each) => each.stop()));
      await federation[Symbol.asyncDispose]();
    });

    describe('Introducer', () => {
      introducerConformance(() => ({
        here: { server: interieur, introducer: bridge(0).side.introducer },
        there: { server: finances, introducer: bridge(1).side.introducer },
        nowhere: serverName(`interieur.localhost:${organisationPorts(specBasePort(), 2).metrics}`),
      }));

      it('is not heard when it speaks past its homeserver', async () => {
        const url = `http://127.0.0.1:${organisationPorts(specBasePort(), 1).appservice}/proxied/_matrix/federation/unstable/fr.viaduc/rtc/livekit/cascade/introduce`;
        for (const authorization of [undefined, 'Bearer guessed', `Bearer ${registrations[0].registration.hsToken.reveal()}`]) {
          const response = await fetch(url, { method: 'POST', headers: { 'x-matrix-origin': interieur, 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) }, body: '{}' });
          assert.equal(response.status, authorization === undefined ? 401 : 403);
        }
        // The homeserver itself wants a signature.
        const unsigned = await fetch(`https://finances.localhost:${organisationPorts(specBasePort(), 1).federation}/_matrix/federation/unstable/fr.viaduc/rtc/livekit/cascade/introduce`, { method: 'POST', headers: { 'x-matrix-origin': interieur, 'content-type': 'application/json' }, body: '{}' });
        assert.equal(unsigned.status, 401);
      });

      it('leaves requests of clients unanswered', async () => {
        const alice = await federation.user(0, 'alice');
        const response = await fetch(`${federation.server(0).url}/_matrix/client/unstable/fr.viaduc/rtc/livekit/cascade/introduce`, { method: 'POST', headers: { authorization: `Bearer ${alice.accessToken}`, 'content-type': 'application/json' }, body: '{}' });
        // From the bridge: the homeserver itself has another word for it.
        assert.deepEqual([response.status, await response.json()], [404, { errcode: 'M_UNRECOGNIZED', error: 'the bridge answers nothing at this address' }]);
      });

      it('does not speak to its own server', async () => {
        await assert.rejects(bridge(0).side.introducer.ask(interieur, 'spec/own', {}), /may not speak to interieur\.localhost/);
      });
    });

    describe('a link', () => {
      const doors: Server[] = [];
      const made: CascadeLinks[] = [];
      const links = async (index: number, server: ServerName, neighbours: readonly ServerName[]) => {
        const door = createServer();
        door.listen(0, '127.0.0.1');
        await once(door, 'listening');
        doors.push(door);
        const address = door.address();
        assert.ok(typeof address === 'object' && address !== null);
        const set = createPeerLinks({ server, neighbours, publicUrl: `ws://127.0.0.1:${address.port}/cascade`, introducer: bridge(index).side.introducer, clock: realClock, random: systemRandom, log: silentLogger, privateAddresses: ['127.0.0.0/8'] });
        door.on('upgrade', (request, socket, head) => {
          if (!set.handleUpgrade(request, socket, head)) socket.destroy();
        });
        const received: PeerMessage[] = [];
        set.start({ linkUp: () => undefined, linkDown: () => undefined, received: (_from, message) => void received.push(message), notFound: () => undefined });
        made.push(set);
        return { set, received, state: (of: ServerName) => set.status().find((status) => status.server === of) };
      };
      after(async () => {
        await Promise.all(made.map((set) => set.close()));
        for (const door of doors) door.close();
      });

      it('comes up between two listed organisations, opened by both, and to nobody else', async () => {
        const one = await links(0, interieur, [finances, defense]);
        const other = await links(1, finances, [interieur]);
        const third = await links(2, defense, [interieur, finances]);
        one.set.want(new Set([finances]));
        other.set.want(new Set([interieur]));
        await eventually(() => (one.state(finances)?.state === 'up' && other.state(interieur)?.state === 'up' ? undefined : JSON.stringify([one.state(finances), other.state(interieur)])));
        const message: PeerMessage = { type: 'leave', room: roomId('!r:interieur.localhost') };
        // The one of two links that stays may still be settling.
        await eventually(() => {
          if (one.received.length === 0) other.set.send(interieur, message);
          if (other.received.length === 0) one.set.send(finances, message);
          return one.received.length > 0 && other.received.length > 0 ? undefined : 'a message each way';
        });
        assert.deepEqual([one.received[0], other.received[0]], [message, message]);

        third.set.want(new Set([finances]));
        await eventually(() => (third.state(finances)?.reason === undefined ? 'a reason' : undefined));
        assert.match(third.state(finances)?.reason ?? '', /finances\.localhost:\d+ refuses: its operator must list this bridge/);
        assert.equal(other.set.status().length, 1);
      });

      it('is not there while a homeserver is away, and comes back with it', async () => {
        await federation.server(2).stop();
        const [one] = made;
        assert.ok(one !== undefined);
        one.want(new Set([finances, defense]));
        const toDefense = () => one.status().find(({ server }) => server === defense);
        await eventually(() => (toDefense()?.reason === undefined ? 'a reason' : undefined), 20_000);
        assert.match(toDefense()?.reason ?? '', /does not reach defense|did not carry the request to defense/);
        assert.equal(one.status().find(({ server }) => server === finances)?.state, 'up');
        await federation.server(2).start();
        await eventually(() => (toDefense()?.state === 'up' ? undefined : JSON.stringify(toDefense())), 40_000);
      }).timeout(90_000);
    });
  });

  describe('that do not', () => {
    let federation: Federation;
    const [plain, unregistered] = [bridgeRegistration(0), bridgeRegistration(1)];
    const old = matrixBridge({ index: 0, registration: plain.registration });
    const stale = matrixBridge({ index: 1, registration: unregistered.registration });

    before(async () => {
      federation = await startFederation({
        size: 2,
        settings: (index) => (index === 0 ? { registrations: [plain.content], extra: { experimental_features: {} } } : { registrations: [proxying(unregistered.content)] }),
      });
      await Promise.all([old.start(), stale.start()]);
    });
    after(async () => {
      await Promise.all([old.stop(), stale.stop()]);
      await federation[Symbol.asyncDispose]();
    });

    describe('Voucher', () => {
      voucherConformance(() => ({
        here: { server: serverNameOf(0), voucher: old.side.voucher },
        there: { server: serverNameOf(1), voucher: stale.side.voucher },
        nowhere: serverName(`interieur.localhost:${organisationPorts(specBasePort(), 2).metrics}`),
      }));
    });

    it('take the registration all the same, and say what is missing', async () => {
      await assert.rejects(old.side.introducer.ask(serverNameOf(1), 'cascade/introduce', {}), /Synapse 1\.163 or later with experimental_features\.msc4512_enabled: true/);
    });

    it('are known by a registration of an earlier version, which says how to renew it', async () => {
      await assert.rejects(stale.side.introducer.ask(serverNameOf(0), 'cascade/introduce', {}), /\.\/viaduc register --force/);
    });
  });
});
