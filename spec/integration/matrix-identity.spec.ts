// Owns the proof that people are who their real homeserver says, and in which rooms they are now.
import assert from 'node:assert/strict';
import { isRoomId, isUserId, parse } from '../../src/call/ids.ts';
import { powerOf, roleOf } from '../../src/call/roles.ts';
import { organisationPorts } from '../../src/demo/organisations.ts';
import { eventually } from '../support/eventually.ts';
import { startFederation, type Federation } from '../support/homeservers.ts';
import { bridgeRegistration, matrixBridge, serverNameOf, type MatrixBridge } from '../support/matrix-bridge.ts';
import type { MatrixUser } from '../support/matrix-user.ts';
import { specBasePort } from '../support/run.ts';

describe('identity and membership with real homeservers', () => {
  const { registration, content } = bridgeRegistration(0);
  const access = { servers: [serverNameOf(1)], privateAddresses: ['127.0.0.0/8'] };
  let federation: Federation;
  let bridge: MatrixBridge;
  let alice: MatrixUser;
  let bob: MatrixUser;

  before(async () => {
    federation = await startFederation({ size: 2, settings: (index) => (index === 0 ? { registrations: [content] } : {}) });
    bridge = matrixBridge({ registration, change: { access } });
    await bridge.start();
    [alice, bob] = await Promise.all([federation.user(0, 'alice'), federation.user(1, 'bob')]);
  });
  after(async () => {
    await bridge.stop();
    await federation[Symbol.asyncDispose]();
  });

  const token = async (user: MatrixUser) => {
    const { access_token: accessToken, matrix_server_name: matrixServerName } = await user.openIdToken();
    return { accessToken, matrixServerName };
  };
  const codeOf = (result: { ok: boolean; error?: { code: string } }) => (result.ok ? 'ok' : result.error?.code);
  const user = (text: string) => parse(isUserId, text, 'user id');

  describe('an OpenID token', () => {
    it('is verified at the homeserver of its owner, ours or another', async () => {
      assert.deepEqual(await bridge.side.verifier.verify(await token(alice)), { ok: true, value: alice.userId });
      assert.deepEqual(await bridge.side.verifier.verify(await token(bob)), { ok: true, value: bob.userId });
    });

    it('is verified at a configured address of our own homeserver, whatever addresses are allowed', async () => {
      const direct = matrixBridge({
        registration,
        change: {
          access: { servers: [], privateAddresses: [] },
          homeserver: { serverName: serverNameOf(0), url: 'http://127.0.0.1:1', federationUrl: `https://interieur.localhost:${organisationPorts(specBasePort(), 0).federation}` },
        },
      });
      assert.deepEqual(await direct.side.verifier.verify(await token(alice)), { ok: true, value: alice.userId });
    });

    it('is refused when it is invented, or presented in the name of another server', async () => {
      assert.equal(codeOf(await bridge.side.verifier.verify({ accessToken: 'invented', matrixServerName: serverNameOf(1) })), 'identityRejected');
      assert.equal(codeOf(await bridge.side.verifier.verify({ ...(await token(bob)), matrixServerName: serverNameOf(0) })), 'identityRejected');
    });

    it('is refused where the server is not listed, and where its address is private and not listed', async () => {
      const noServers = matrixBridge({ registration, change: { access: { ...access, servers: [] } } });
      assert.equal(codeOf(await noServers.side.verifier.verify(await token(bob))), 'identityRejected');
      const noAddresses = matrixBridge({ registration, change: { access: { ...access, privateAddresses: [] } } });
      const refused = await noAddresses.side.verifier.verify(await token(bob));
      assert.match(refused.ok ? '' : refused.error.detail, /127\.0\.0\.1, where the bridge may not ask/);
    });

    it('cannot be verified for now when its homeserver is down', async () => {
      const bobs = await token(bob);
      await federation.server(1).stop();
      const result = await bridge.side.verifier.verify(bobs);
      assert.equal(codeOf(result), 'homeserverUnavailable');
      assert.ok(!result.ok && (result.error.retryAfterMs ?? 0) > 0);
      await federation.server(1).start();
      await eventually(async () => ((await bridge.side.verifier.verify(bobs)).ok ? undefined : 'the verification'), 20_000);
    });
  });

  describe('the directory', () => {
    async function room(more: Readonly<Record<string, unknown>> = {}) {
      const id = await alice.createRoom({ invite: [bridge.botUser], name: 'Point\nd’étape', ...more });
      await alice.find('the introduction', (event) => event.type === 'm.room.message' && event.sender === bridge.botUser && event.roomId === id);
      return parse(isRoomId, id, 'room id');
    }
    const member = async (where: Awaited<ReturnType<typeof room>>, who: string) => {
      const found = await bridge.side.directory.member(where, user(who));
      return found.ok ? found.value : found.error.code;
    };

    it('knows members, their names, and the room\'s name on one line', async () => {
      const where = await room();
      assert.deepEqual(await member(where, alice.userId), { user: alice.userId, displayName: 'alice' });
      assert.equal(await member(where, bob.userId), undefined);
      assert.equal(await bridge.side.directory.name(where), 'Point d’étape');
    });

    it('sees nobody in a room without the bot, also after it was put out', async () => {
      const without = parse(isRoomId, await alice.createRoom(), 'room id');
      assert.equal(await member(without, alice.userId), undefined);
      assert.equal(codeOf(await bridge.side.directory.powerLevels(without)), 'forbidden');
      assert.equal(await member(parse(isRoomId, '!nowhere:example.org', 'room id'), alice.userId), undefined);

      const where = await room();
      assert.notEqual(await member(where, alice.userId), undefined);
      assert.equal((await bridge.side.directory.powerLevels(where)).ok, true);
      await alice.kick(where, bridge.botUser);
      await eventually(async () => ((await member(where, alice.userId)) === undefined ? undefined : 'the kick'), 2_000);
      assert.equal(codeOf(await bridge.side.directory.powerLevels(where)), 'forbidden');
      assert.equal(await bridge.side.directory.name(where), undefined);
    });

    for (const version of ['9', '11', '12']) {
      it(`reads power levels in room version ${version}, those of the creator too`, async () => {
        const where = await room({ room_version: version, invite: [bridge.botUser, bob.userId] });
        const levels = async () => {
          const read = await bridge.side.directory.powerLevels(where);
          assert.ok(read.ok);
          return read.value;
        };
        assert.deepEqual([roleOf(user(alice.userId), await levels()), roleOf(user(bob.userId), await levels())], ['owner', 'participant']);
        assert.equal(powerOf(user(alice.userId), await levels()), version === '12' ? Infinity : 100);
        await alice.setPowerLevel(where, bob.userId, 50);
        await eventually(async () => (roleOf(user(bob.userId), await levels()) === 'moderator' ? undefined : 'the new level'), 2_000);
      });
    }

    it('answers from memory while the homeserver is away; what it does not know is unavailable', async () => {
      const [known, unknown] = [await room(), parse(isRoomId, await alice.createRoom({ invite: [bridge.botUser] }), 'room id')];
      await member(known, alice.userId);
      await bridge.side.directory.powerLevels(known);
      await alice.find('the introduction', (event) => event.type === 'm.room.message' && event.sender === bridge.botUser && event.roomId === unknown);
      await federation.server(0).stop();
      assert.deepEqual(await member(known, alice.userId), { user: alice.userId, displayName: 'alice' });
      assert.equal((await bridge.side.directory.powerLevels(known)).ok, true);
      assert.equal(await member(unknown, alice.userId), 'homeserverUnavailable');
      assert.equal(codeOf(await bridge.side.directory.powerLevels(unknown)), 'homeserverUnavailable');
      await federation.server(0).start();
      await eventually(async () => ((await member(unknown, alice.userId)) === 'homeserverUnavailable' ? 'the homeserver' : undefined));
      assert.deepEqual(await member(unknown, alice.userId), { user: alice.userId, displayName: 'alice' });
    });
  });
});
