// Owns what a whole mocha run shares: its folder, one nursery, the test authority. Made when first asked for, ended by root-hooks.ts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { type Certificates, ensureCertificates } from '../../src/demo/homeservers/certificate-authority.ts';
import { resolveLocalhostNames } from '../../src/demo/homeservers/localhost-names.ts';
import { type Nursery, startNursery } from '../../src/demo/homeservers/nursery.ts';
import { hostOf, organisations } from '../../src/demo/organisations.ts';
import { toolPath } from '../../src/demo/tools.ts';
import { defaultPort, portVariable } from '../../tools/test/variables.ts';

export interface Run {
  readonly folder: string;
  readonly nursery: Nursery;
  readonly certificates: Certificates;
}

let run: Promise<Run> | undefined;
const stack = new AsyncDisposableStack();

/** The first port of the specs; each organisation has ten (src/demo/organisations.ts). */
export function specBasePort(): number {
  return Number(process.env[portVariable] ?? defaultPort);
}

/** From the first call on, this process trusts the test authority and finds names under .localhost. */
export async function specRun(): Promise<Run> {
  run ??= startRun();
  return run;
}

async function startRun(): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'viaduc-spec-'));
  if (process.env['VIADUC_TEST_KEEP'] === undefined) stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  else console.error(`The run's folder is kept: ${folder}`);
  const certificates = await ensureCertificates(join(folder, 'ca'), organisations.map(hostOf));
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(certificates.authority, 'utf8')]);
  resolveLocalhostNames();
  return { folder, certificates, nursery: stack.use(await startNursery(toolPath('VIADUC_SYNAPSE'))) };
}

export async function endRun(): Promise<void> {
  await stack.disposeAsync();
}
