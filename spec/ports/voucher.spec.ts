// Owns the proof that the voucher of specs keeps the port's word as the real one does (spec/integration/introducer.spec.ts).
import { serverName } from '../support/builders.ts';
import { VouchingWorld } from '../support/vouching-world.ts';
import { voucherConformance } from './voucher.conformance.ts';

describe('Voucher, in memory', () => {
  const world = new VouchingWorld();
  const [here, there, nowhere] = [serverName('interieur.example.org'), serverName('finances.example.org'), serverName('nowhere.example.org')];
  world.down.add(nowhere);
  const stage = { here: { server: here, voucher: world.of(here).voucher }, there: { server: there, voucher: world.of(there).voucher }, nowhere };
  voucherConformance(() => stage);
});
