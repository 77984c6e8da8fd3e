// Which simulcast layer a viewer gets.
import assert from 'node:assert/strict';
import type { VideoLayer } from '../../src/call/track.ts';
import { chooseLayer, type ViewerWish } from '../../src/livekit/layer-choice.ts';

const layer = (quality: VideoLayer['quality'], width: number, height: number): VideoLayer => ({ quality, width, height, bitrateBps: 0 });
const landscape = [layer('low', 320, 180), layer('medium', 640, 360), layer('high', 1280, 720)];
const portrait = [layer('low', 180, 320), layer('medium', 360, 640), layer('high', 720, 1280)];
const wish = (change: Partial<ViewerWish>): ViewerWish => ({ disabled: false, quality: undefined, width: 0, height: 0, fps: 0, priority: 0, ...change });
const spatial = (change: Partial<ViewerWish>, layers: readonly VideoLayer[] = landscape, sent = layers.length): number => chooseLayer(wish(change), layers, sent).spatialLayer;

describe('The choice of a layer', () => {
  it('takes the lowest that fills the tile, up to a tenth too small', () => {
    assert.deepEqual([1, 180, 200, 201, 360, 400, 401, 720, 2_000].map((height) => spatial({ width: height * 16 / 9, height })), [0, 0, 0, 1, 1, 1, 2, 2, 2]);
  });

  it('goes by the shorter side of the picture', () => {
    assert.deepEqual([180, 360, 720].map((width) => spatial({ width, height: width * 16 / 9 }, portrait)), [0, 1, 2]);
    assert.equal(spatial({ width: 1280, height: 180 }), 0);
  });

  it('finds the layers in whatever order they are announced', () => {
    assert.equal(spatial({ width: 640, height: 360 }, landscape.toReversed()), 1);
  });

  it('never asks for a layer that is not sent', () => {
    assert.equal(spatial({ width: 1280, height: 720 }, landscape, 2), 1);
    assert.equal(spatial({ quality: 'high' }, landscape, 1), 0);
    assert.equal(spatial({ width: 1280, height: 720 }, [], 3), 2);
  });

  it('follows a quality when no size is given; without a wish the best', () => {
    assert.deepEqual((['low', 'medium', 'high', undefined] as const).map((quality) => spatial({ quality })), [0, 1, 2, 2]);
    const small = [layer('low', 320, 180), layer('high', 640, 360)];
    assert.deepEqual((['low', 'medium', 'high'] as const).map((quality) => spatial({ quality }, small)), [0, 0, 1]);
    assert.deepEqual((['low', 'medium', 'high'] as const).map((quality) => spatial({ quality }, [], 3)), [0, 1, 2]);
  });

  it('halves the frame rate as far as the viewer allows', () => {
    assert.deepEqual([0, 5, 8, 9, 15, 17, 30, 60].map((fps) => chooseLayer(wish({ fps }), landscape, 3).temporalLayer), [2, 0, 0, 1, 1, 2, 2, 2]);
  });
});
