// Owns the proof that the check's own instruments tell the truth: its list, and which processes run.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onlyAt, onlyFrame } from '../../src/demo/check/own-bridge.ts';
import { Checklist, StepFailed } from '../../src/demo/check/checklist.ts';
import { descendants, stillRunning } from '../../src/demo/check/process-tree.ts';
import { eventually } from '../support/eventually.ts';

describe('check of the demo', () => {
  it('passes only if there are rows and all held', async () => {
    const printed: string[] = [];
    const list = new Checklist((line) => printed.push(line));
    assert.equal(list.allHeld, false);
    await list.step('first', () => Promise.resolve('well'));
    list.figures['startMs'] = 5;
    assert.deepEqual(JSON.parse(list.lastLine()), { check: 'demo', pass: true, startMs: 5 });
    await assert.rejects(
      list.step('second', () => Promise.reject(new Error('waited 5 s for it\nmore'))),
      StepFailed,
    );
    assert.deepEqual(JSON.parse(list.lastLine()), { check: 'demo', pass: false, startMs: 5 });
    assert.match(printed[0] ?? '', /^ {2}ok {4}first .*well$/);
    assert.match(printed[1] ?? '', /^ {2}FAIL {2}second .*waited 5 s for it$/);
  });

  it('takes neither silence nor a single foreign connection for one at home', () => {
    const allowed = ['udp 127.0.0.1:5', 'udp 127.0.0.1:6'];
    assert.equal(onlyAt(['udp 127.0.0.1:6', 'udp 127.0.0.1:6'], allowed, 'peer connection'), '2 to udp 127.0.0.1:6');
    assert.throws(() => onlyAt([], allowed, 'peer connection'), /there is no peer connection/);
    assert.throws(() => onlyAt(['udp 127.0.0.1:5', 'udp 127.0.0.1:15'], allowed, 'peer connection'), /peer connection to udp 127\.0\.0\.1:15 instead of/);
  });

  it('takes nothing but a document, a script and a style for the frame around a page', () => {
    const bridge = 'http://interieur.localhost:1';
    onlyFrame([`${bridge}/c/abcdefgh234567abcdef?userId=x`, `${bridge}/c/assets/home-frame-BZIedp9p.js`, `${bridge}/c/assets/home-frame-Cv_-.css`]);
    for (const more of ['/api/page', '/c/assets/index-a.js', '/api/calls/abc/join', '/sfu/get']) assert.throws(() => onlyFrame([bridge + more]), /the frame asks for/);
  });

  it('sees children of children, and that they have ended', async () => {
    const shell = spawn('sh', ['-c', 'sleep 60 & wait'], { stdio: 'ignore' });
    const mine = (): readonly string[] => descendants(shell.pid).map(({ name }) => name);
    await eventually(() => (mine().includes('sleep') ? undefined : 'the child of the shell'));
    const known = descendants(shell.pid);
    assert.equal(stillRunning(known).length, 1);
    assert.ok(descendants().some(({ pid }) => pid === shell.pid));
    shell.kill('SIGKILL');
    await once(shell, 'exit');
    // An orphan is no descendant any more, but it is still known.
    assert.equal(stillRunning(known).length, 1);
    for (const { pid } of known) process.kill(pid, 'SIGKILL');
    await eventually(() => (stillRunning(known).length === 0 ? undefined : 'the child is still there'));
  });
});
