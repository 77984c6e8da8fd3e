// Owns ./viaduc check: looks at everything a bridge needs and says what to do about each fault.
import { loadConfig } from '../config/load.ts';
import { cascadeFindings, cascadePorts } from './check/cascade.ts';
import { bridgeRuns, certificate, homeserverReachesUs, homeserverVersions, identities, portsFree, registrationKnown } from './check/probes.ts';
import type { Finding } from './check/finding.ts';
import { discovery } from './check/discovery.ts';
import { published } from './check/published.ts';
import { quickFindings } from './check/quick.ts';

const marks: Readonly<Record<Finding['level'], string>> = { ok: '  ok ', warning: 'WARN ', failure: 'FAIL ' };

/** Prints each finding; exit status 1 if something would not work. */
export async function check(configPath: string): Promise<number> {
  const config = loadConfig(configPath);
  process.stdout.write(`  ok  The configuration ${configPath} is valid\n`);
  const runs = await bridgeRuns(config);
  const secure = await certificate(config);
  const findings = [
    ...quickFindings(config),
    ...cascadeFindings(config),
    await homeserverVersions(config),
    ...(await registrationKnown(config)),
    ...(await identities(config)),
    ...(await discovery(config)),
    ...(await published(config)),
    ...(runs ? [await homeserverReachesUs(config)] : [...(await portsFree(config)), ...(await cascadePorts(config))]),
    ...(secure === undefined ? [] : [secure]),
  ];
  for (const { level, what, advice } of findings) process.stdout.write(`${marks[level]} ${what}\n${advice === '' ? '' : `       → ${advice}\n`}`);
  const failures = findings.filter(({ level }) => level === 'failure').length;
  const warnings = findings.filter(({ level }) => level === 'warning').length;
  process.stdout.write(`\n${failures === 0 ? 'The bridge can run.' : 'The bridge would not work.'} ${counted(failures, 'failure')}, ${counted(warnings, 'warning')}.${runs ? '' : ' (It does not run now.)'}\n`);
  return failures === 0 ? 0 : 1;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
