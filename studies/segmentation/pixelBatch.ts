import {cast, dispose, oneHot, type Tensor, type Tensor3D, type Tensor4D, tensor3d, tidy} from '@tensorflow/tfjs-core';
import {type Scene, SIDE} from '../kit/scenes/scene';
import {pixelsOf} from '../kit/scenes/sceneSets';
import {PIXEL_KINDS, pixelKinds} from './pixelKinds';

/** Scenes with the kind of each pixel. */
export interface PixelBatch {
  xs: Tensor4D;
  /** `int32[B, 96, 96]`: 0 = background, 1 = digit. */
  kinds: Tensor3D;
  /** The same, `float32[B, 96, 96, 2]`. */
  oneHotKinds: Tensor;
}

/** Makes tensors of scenes. */
export function batchOf(scenes: readonly Scene[]): PixelBatch {
  const kinds = new Int32Array(scenes.length * SIDE * SIDE);
  for (const [place, {labels}] of scenes.entries()) kinds.set(pixelKinds(labels), place * SIDE * SIDE);
  const ofKinds = tensor3d(kinds, [scenes.length, SIDE, SIDE], 'int32');
  return {
    xs: pixelsOf(scenes),
    kinds: ofKinds,
    oneHotKinds: tidy(() => cast(oneHot(ofKinds, PIXEL_KINDS), 'float32')),
  };
}

export const disposeBatch = ({xs, kinds, oneHotKinds}: PixelBatch): void => dispose([xs, kinds, oneHotKinds]);
