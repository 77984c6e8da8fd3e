// Owns drill 2: one speaker and many listeners in one call that has outgrown one worker.
import type { Drill } from '../drill.ts';
import { rounded, sum } from '../figures.ts';
import { isStarved, isWhole, LoadScene, type Measured } from '../load/scene.ts';
import type { Report } from '../report.ts';

const leastDelivery = 0.999;
const mostShare = 0.6;
/** Above, delays are the machine's. */
const mostBusyForDelays = 0.7;
const fewest = 10;
const settings = { speakers: 1, cameras: 1, kbps: 900, fps: 25, ramp: 5, settle: '30s', warmup: '5s', duration: '20s' };

export const drill2: Drill = {
  id: '2',
  sentence: 'One speaker with sound and picture and n listeners in one call, on two workers with a pipe between them.',
  usualN: 200,
  async run(context) {
    const { n, report } = context;
    await using scene = await LoadScene.open(context, n);
    const party = await scene.startCall();
    let listeners = n;
    let measured: Measured;
    for (;;) {
      const tickets = await scene.tickets(party, listeners + 1);
      measured = await scene.measure(tickets, { ...settings, listeners });
      if (isWhole(measured, leastDelivery) || !isStarved(measured) || listeners / 2 < fewest) break;
      report.note(`This machine cannot feed ${listeners} listeners`, `${describeLoss(measured)}; ${describeMachine(measured)}: half of them`);
      listeners = Math.floor(listeners / 2);
    }
    report.note('Listeners', `${listeners}: ${rounded(listeners / n)} of the load`);
    report.figures['factor'] = rounded(listeners / n, 3);
    return judge(measured, listeners, report);
  },
};

function judge(measured: Measured, listeners: number, report: Report): { readonly value: number; readonly limit: number } {
  const { result, workersMs, bridgeMs, busy, loopP99Ms, sameWorkers } = measured;
  const share = Math.max(...workersMs) / Math.max(1, sum(workersMs));
  const { foreign, misattributed, mixed, unstamped } = result.audit;
  report.note('The machine', describeMachine(measured));
  report.hold('Everybody is in the call', result.refused === 0 && result.dropped === 0 && result.people === listeners + 1, [`${result.people}`, `${result.refused} refused`, result.refusal, `${result.dropped} lost`, result.drop].filter((part) => part !== undefined).join('; '));
  report.hold('Each listener receives everything that was sent', isWhole(measured, leastDelivery), describeLoss(measured));
  report.hold('Nobody receives what is another\'s', foreign + misattributed + mixed + unstamped === 0, `${foreign} packets of another room, ${misattributed + mixed} under another name, ${unstamped} of nobody`);
  report.hold('Two workers share the work', workersMs.length === 2 && share <= mostShare, workersMs.map((ms) => `${((ms / Math.max(1, sum(workersMs))) * 100).toFixed(0)} %`).join(' and '));
  report.hold('No worker was restarted', sameWorkers, sameWorkers ? 'the same processes' : 'others');
  report.note('Event loop of the bridge', `p99 ${loopP99Ms.toFixed(1)} ms`);
  report.note('Delay of a packet', busy <= mostBusyForDelays ? `p50 ${result.delayMs.p50} ms, p99 ${result.delayMs.p99} ms` : 'not told: the machine is more than 70 % busy');
  report.figures['packetsPerSecond'] = result.packetsPerSecond;
  report.figures['delivery'] = { all: result.delivery, worst: result.worst.delivery, lost: result.lost, expected: result.expected };
  report.figures['workerCores'] = workersMs.map((ms) => rounded(ms / 1000 / result.seconds, 3));
  report.figures['workerShare'] = rounded(share, 3);
  report.figures['bridgeCores'] = rounded(bridgeMs / 1000 / result.seconds, 3);
  report.figures['busy'] = rounded(busy);
  report.figures['eventLoopP99Ms'] = rounded(loopP99Ms, 1);
  report.figures['joinMs'] = { p50: result.joinMs.p50, p95: result.joinMs.p95 };
  report.figures['delayMs'] = busy <= mostBusyForDelays ? { p50: result.delayMs.p50, p99: result.delayMs.p99 } : null;
  return { value: result.worst.delivery, limit: leastDelivery };
}

function describeMachine({ busy, result }: Measured): string {
  return `${(busy * 100).toFixed(0)} % busy; packets sent up to ${result.generator.lateMs.p99.toFixed(1)} ms late (p99)`;
}

function describeLoss({ result }: Measured): string {
  return `at least ${(result.worst.delivery * 100).toFixed(3)} %; ${result.lost} of ${result.expected} packets lost, ${result.duplicated} twice, ${result.silent} tracks silent`;
}
