import {gather, type Tensor, type Tensor1D, type Tensor2D, tidy} from '@tensorflow/tfjs-core';
import {nmsTopK, type Selector, topK} from 'ohem-tfjs';

/**
 * Keeps the rows of `nmsTopK`, and looks for them among the hardest rows alone.
 *
 *     kept = nmsTopK({k, iouThreshold}) of topK({k: among · k})
 *
 * The suppression goes from the hardest row on, so the rows are the same if `k` of the hardest ones
 * survive; if not, fewer are kept. `nmsTopK` compares each kept row with all rows of the batch:
 * with thousands of anchors, that takes much longer than all else in a step.
 */
export function nmsOfHardest({k, iouThreshold, among}: {k: number; iouThreshold: number; among: number}): Selector {
  const [hardest, apart] = [topK({k: among * k}), nmsTopK({k, iouThreshold})];
  return (losses, context = {}) =>
    tidy(() => {
      const {indices} = hardest(losses, context);
      const ofHardest = <T extends Tensor>(values: T | undefined) => values && gather(values, indices);
      const own = {
        ...(context.valid && {valid: ofHardest(context.valid) as Tensor1D}),
        ...(context.group && {group: ofHardest(context.group) as Tensor1D}),
        boxes: ofHardest(context.boxes) as Tensor2D,
      };
      const kept = apart(gather(losses, indices), own);
      return {indices: gather(indices, kept.indices), weights: kept.weights};
    });
}
