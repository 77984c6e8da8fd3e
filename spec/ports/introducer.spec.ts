// Owns the proof that the introducer of specs keeps the port's word as the real one does (spec/integration/introducer.spec.ts).
import { serverName } from '../support/builders.ts';
import { IntroducerNetwork } from '../support/memory-introducer.ts';
import { introducerConformance } from './introducer.conformance.ts';

describe('Introducer, in memory', () => {
  const network = new IntroducerNetwork();
  const [here, there] = [serverName('interieur.example.org'), serverName('finances.example.org')];
  const stage = { here: { server: here, introducer: network.of(here) }, there: { server: there, introducer: network.of(there) }, nowhere: serverName('nowhere.example.org') };
  introducerConformance(() => stage);
});
