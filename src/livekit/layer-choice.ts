// Owns the choice of a simulcast layer from what a viewer says of its tile. Pure.
import type { VideoLayer } from '../call/track.ts';

/** LiveKit UpdateTrackSettings; zero means: not said. */
export interface ViewerWish {
  readonly disabled: boolean;
  readonly quality: VideoLayer['quality'] | undefined;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly priority: number;
}

export interface LayerChoice {
  readonly spatialLayer: number;
  readonly temporalLayer: number;
}

/** A layer may be this much smaller than the tile. */
const tolerance = 0.9;
const highestTemporalLayer = 2;
const assumedFramesPerSecond = 30;

/** The lowest layer that fills the tile; by the shorter side of the picture, like LiveKit. `spatialLayers` is how many are sent. */
export function chooseLayer(wish: ViewerWish, layers: readonly VideoLayer[], spatialLayers: number): LayerChoice {
  const top = Math.max(0, spatialLayers - 1);
  const temporalLayer = temporalLayerFor(wish.fps);
  if (wish.width > 0 && wish.height > 0) return { spatialLayer: layerForSize(wish, layers, top), temporalLayer };
  return { spatialLayer: Math.min(top, qualityIndex(wish.quality ?? 'high', layers)), temporalLayer };
}

function layerForSize(wish: ViewerWish, layers: readonly VideoLayer[], top: number): number {
  const bySize = [...layers].sort((a, b) => a.width * a.height - b.width * b.height).slice(0, top + 1);
  const enough = bySize.findIndex((layer) => {
    const portrait = layer.width < layer.height;
    return portrait ? layer.width >= wish.width * tolerance : layer.height >= wish.height * tolerance;
  });
  return enough === -1 ? top : enough;
}

/** Small captures are announced with fewer layers, or with layers that skip a quality. */
function qualityIndex(quality: VideoLayer['quality'], layers: readonly VideoLayer[]): number {
  const ladder = ['low', 'medium', 'high'] as const;
  if (layers.length === 0) return ladder.indexOf(quality);
  const notBetter = layers.filter((layer) => ladder.indexOf(layer.quality) <= ladder.indexOf(quality));
  return Math.max(0, notBetter.length - 1);
}

function temporalLayerFor(fps: number): number {
  if (fps <= 0) return highestTemporalLayer;
  for (let layer = 0; layer < highestTemporalLayer; layer += 1) {
    if (assumedFramesPerSecond / 2 ** (highestTemporalLayer - layer) >= fps * tolerance) return layer;
  }
  return highestTemporalLayer;
}
