// Owns ./viaduc demo --check: starts the demo, plays a call in a browser, ends everything, and says what held.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { launchChromium } from '../chromium.ts';
import { type DemoOptions, startDemo } from '../demo.ts';
import { playCall } from './call-scenario.ts';
import { writeCameraPicture } from './camera-picture.ts';
import { Checklist, StepFailed } from './checklist.ts';
import { rememberConnections } from './media-probe.ts';
import { descendants, type KnownProcess, stillRunning } from './process-tree.ts';
import { waitFor } from './wait.ts';

export interface CheckOptions extends DemoOptions {
  /** Folder for screenshots; emptied first. */
  readonly out: string;
  /** Settles when the check is to be given up. */
  readonly stopped: Promise<string>;
}

const columnWidth = 860;
const viewportHeight = 1080;
const goneMs = 10_000;
const cameraFile = 'Camera.y4m';

/** Prints a table, and one JSON object as the last line. @returns the exit status */
export async function runCheck(options: CheckOptions): Promise<number> {
  const { out } = options;
  const print = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const list = new Checklist(print);
  const started = performance.now();
  const { processes, endedAtMs } = await play(options, list);
  await orListed(list, 'The check could be ended', () =>
    list.step('Every process has ended', async () => {
      await waitFor(`${String(processes.length)} processes to end`, () => {
        const left = stillRunning(processes);
        return Promise.resolve(left.length === 0 ? undefined : `still there: ${left.map(({ pid, name }) => `${name} (${String(pid)})`).join(', ')}`);
      }, goneMs);
      return `${String(processes.length)} processes`;
    }),
  );
  list.figures['stopMs'] = Math.round(performance.now() - endedAtMs);
  list.figures['totalMs'] = Math.round(performance.now() - started);
  list.figures['folder'] = out;
  print(`\n  Screenshots: ${out}\n`);
  print(list.lastLine());
  return list.allHeld ? 0 : 1;
}

/** Post: demo and browser are stopped. Answers which processes ran at the end of the play, and when that was. */
async function play(options: CheckOptions, list: Checklist): Promise<{ readonly processes: readonly KnownProcess[]; readonly endedAtMs: number }> {
  let processes: readonly KnownProcess[] = [];
  let endedAtMs = performance.now();
  await orListed(list, 'The demo could be started and ended', async () => {
    await using demo = await startDemo(options);
    list.figures['startMs'] = Math.round(performance.now() - endedAtMs);
    process.stdout.write('\n');
    await using stack = new AsyncDisposableStack();
    // The file's path is the name of the camera that people choose from: a short one reads better.
    process.chdir(options.folder);
    writeCameraPicture(cameraFile);
    stack.defer(() => rmSync(join(options.folder, cameraFile)));
    const browser = await launchChromium({ cameraFile });
    stack.defer(() => browser.close());
    const page = await browser.newPage({ viewport: { width: columnWidth * options.ministries, height: viewportHeight } });
    await page.addInitScript(rememberConnections);
    const scenario = orListed(list, 'The check could be made', () => playCall({ page, demo, out: options.out, list }));
    const broken = await Promise.race([scenario.then(() => undefined), options.stopped.then((signal) => `given up: ${signal}`), demo.broken]);
    if (broken !== undefined) list.add({ what: 'The demo goes on until the end of the check', held: false, detail: broken });
    if (!list.allHeld) await page.screenshot({ path: `${options.out}/failed.png` });
    processes = descendants();
    endedAtMs = performance.now();
  });
  return { processes, endedAtMs };
}

/** Whatever goes wrong becomes a row of the table. */
async function orListed(list: Checklist, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StepFailed)) list.add({ what, held: false, detail: error instanceof Error ? error.message : String(error) });
  }
}
