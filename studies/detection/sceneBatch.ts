import {
  cast,
  dispose,
  expandDims,
  greater,
  oneHot,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tensor2d,
  tensor3d,
  tidy,
  tile,
} from '@tensorflow/tfjs-core';
import {KINDS, type Scene} from '../kit/scenes/scene';
import {pixelsOf} from '../kit/scenes/sceneSets';
import {ANCHORS, matchAnchors} from './anchors';

/** Scenes with the targets of their anchors. */
export interface SceneBatch {
  xs: Tensor4D;
  /** `int32[B, P]`: 0 = background, or the digit plus 1. */
  kinds: Tensor2D;
  /** The same, `float32[B, P, 11]`. */
  oneHotKinds: Tensor;
  /** `float32[B, P, 4]`. */
  boxes: Tensor3D;
  /** `float32[B, P]`. */
  positive: Tensor2D;
  /** `float32[B, P, 4]`, the boxes of the anchors, the same in each scene. */
  anchorBoxes: Tensor3D;
}

/** Makes tensors of scenes. */
export function batchOf(scenes: readonly Scene[]): SceneBatch {
  const anchors = ANCHORS.length;
  const kinds = new Int32Array(scenes.length * anchors);
  const offsets = new Float32Array(scenes.length * anchors * 4);
  for (const [place, {objects}] of scenes.entries()) {
    const matches = matchAnchors(objects);
    kinds.set(matches.kinds, place * anchors);
    offsets.set(matches.offsets, place * anchors * 4);
  }
  const ofKinds = tensor2d(kinds, [scenes.length, anchors], 'int32');
  return {
    xs: pixelsOf(scenes),
    kinds: ofKinds,
    oneHotKinds: tidy(() => cast(oneHot(ofKinds, KINDS), 'float32')),
    boxes: tensor3d(offsets, [scenes.length, anchors, 4]),
    positive: tidy(() => cast(greater(ofKinds, 0), 'float32') as Tensor2D),
    anchorBoxes: tidy(() => tile(expandDims(tensor2d(ANCHORS as unknown as number[][]), 0), [scenes.length, 1, 1])),
  };
}

export const disposeBatch = (batch: SceneBatch): void => dispose({...batch} as never);
