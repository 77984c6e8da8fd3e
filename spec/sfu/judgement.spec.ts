// The pure judgements of the media plane: who speaks, how good a connection is, how many bytes went by.
import assert from 'node:assert/strict';
import { directionScore } from '../../src/sfu/quality.ts';
import { SpeakerDetector } from '../../src/sfu/speakers.ts';
import { TrafficMeter } from '../../src/sfu/traffic.ts';
import { participantId } from '../support/builders.ts';

const alice = participantId('PA_alice');
const bob = participantId('PA_bobby');

describe('The speaker detector', () => {
  it('needs speech, not noise', () => {
    const detector = new SpeakerDetector();
    assert.equal(detector.hear([{ participant: alice, volumeDb: -50 }]), undefined);
    assert.equal(detector.hear([]), undefined);
    assert.deepEqual(detector.hear([{ participant: alice, volumeDb: -20 }])?.map(({ participant }) => participant), [alice]);
  });

  it('puts the loudest first, in eighths', () => {
    const detector = new SpeakerDetector();
    detector.hear([{ participant: alice, volumeDb: -20 }, { participant: bob, volumeDb: 0 }]);
    for (let i = 0; i < 10; i += 1) detector.hear([{ participant: alice, volumeDb: -20 }, { participant: bob, volumeDb: 0 }]);
    assert.deepEqual(detector.hear([{ participant: alice, volumeDb: 0 }, { participant: bob, volumeDb: -20 }]), [{ participant: alice, level: 0.75 }, { participant: bob, level: 0.5 }]);
  });

  it('tells only changes', () => {
    const detector = new SpeakerDetector();
    detector.hear([{ participant: alice, volumeDb: -25 }]);
    assert.equal(detector.hear([{ participant: alice, volumeDb: -24 }]), undefined);
  });

  it('bridges the pause between two words and falls silent after it', () => {
    const detector = new SpeakerDetector();
    detector.hear([{ participant: alice, volumeDb: -15 }]);
    detector.hear([{ participant: alice, volumeDb: -15 }]);
    assert.notDeepEqual(detector.hear([]), []);
    const lists = Array.from({ length: 6 }, () => detector.hear([]));
    assert.ok(lists.some((list) => list?.length === 0));
    assert.ok(detector.quiet);
  });

  it('takes the loudest of one person\'s microphones and forgets who left', () => {
    const detector = new SpeakerDetector();
    assert.deepEqual(detector.hear([{ participant: alice, volumeDb: -40 }, { participant: alice, volumeDb: -10 }])?.length, 1);
    assert.deepEqual(detector.forget(alice), []);
    assert.equal(detector.forget(alice), undefined);
  });
});

describe('The score of a direction', () => {
  it('is the worst stream\'s, less for loss and delay', () => {
    assert.equal(directionScore({ scores: [10, 7], lossRatio: 0, roundTripMs: 20 }), 7);
    assert.equal(directionScore({ scores: [10], lossRatio: 0.04, roundTripMs: undefined }), 7);
    assert.equal(directionScore({ scores: [10], lossRatio: 0.2, roundTripMs: 500 }), 1);
    assert.equal(directionScore({ scores: [2], lossRatio: 0.2, roundTripMs: 500 }), 0);
  });

  it('is unknown while nothing flows', () => {
    assert.equal(directionScore({ scores: [], lossRatio: 0, roundTripMs: undefined }), undefined);
  });
});

describe('The traffic meter', () => {
  it('keeps what closed transports carried', () => {
    const meter = new TrafficMeter();
    meter.read('a', { received: 10, sent: 1 });
    meter.read('a', { received: 20, sent: 2 });
    meter.read('b', { received: 5, sent: 5 });
    meter.close('a');
    meter.close('a');
    meter.read('b', { received: 6, sent: 6 });
    assert.deepEqual(meter.total(), { received: 26, sent: 8 });
  });
});
