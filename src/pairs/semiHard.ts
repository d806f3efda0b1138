import {
  add,
  argMax,
  argMin,
  cast,
  clone,
  expandDims,
  max,
  mul,
  reshape,
  step,
  sub,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import {livesInMainMemory} from '../checks';
import type {DistanceOptions} from './distances';
import {anyOf} from './extremes';
import {checkMinerOptions, miner} from './miner';
import type {Miner, Triplets} from './mining';
import {FAR, type PairBatch, positiveSlots} from './pairBatch';
import {valuesAt} from './pairMasks';
import {negativesBeyond} from './semiHardNegatives';
import {inChunks} from './tripletChunks';

const NAME = 'semiHard';

/**
 * Mines, for each pair of an anchor and a positive, the nearest negative beyond the positive.
 *
 *     n = argmin {d_an : n ∈ N, d_an > d_ap},    argmax_N d_an if there is none
 *
 * FaceNet's rule, with the fallback of TensorFlow Addons. It is the default of `tripletLoss`,
 * because it is the least likely to collapse.
 *
 * @param options  `distance`, `normalize`; default: those of the loss, or `'euclidean'` without a
 *   loss.
 * @returns a miner, `(float32[B, D], int32[B])` → triplets of shape `[B, P]`: one slot per positive
 *   of an anchor, or on a GPU one per row.
 * @throws RangeError or TypeError for a wrong option; TypeError if the shapes do not fit.
 *
 * @example
 * const mine = semiHard({normalize: false});
 * const {negative} = mine(tf.tensor2d([[0], [3], [2], [4]]), tf.tensor1d([0, 0, 1, 1], 'int32'));
 * negative.dataSync();   // Int32Array [3, 2, 0, 0]
 *
 * @see Schroff, Kalenichenko, Philbin, FaceNet, 2015, §3.2 (arXiv:1503.03832)
 */
export function semiHard(options: DistanceOptions = {}): Miner {
  checkMinerOptions(NAME, options);
  return miner(NAME, options, semiHardTriplets);
}

function semiHardTriplets({distances, positives, negatives}: PairBatch): Triplets {
  const slots = positiveSlots(positives);
  const given = {distances, negatives, ofPositives: valuesAt(distances, slots.columns)};
  return {
    positive: clone(slots.columns),
    negative: livesInMainMemory() ? negativesBeyond(given) : comparedWithAll(given, slots.columns),
    weights: mul(slots.marks, anyOf(negatives)),
  };
}

/** Computes {@link negativesBeyond} without a read: compares each positive with all negatives. */
export function comparedWithAll(
  {distances, negatives, ofPositives}: Parameters<typeof negativesBeyond>[0],
  columns: Tensor2D,
): Tensor2D {
  const farthest = argMax(sub(distances, mul(sub(1, negatives), FAR)), 1);
  const tensors = [ofPositives, distances, negatives, cast(farthest, 'float32')];
  const negative = inChunks(columns, distances.shape[1], tensors, (part) => {
    const [ofPositive, ofNegative, marks, fallback] = part as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
    const gap = sub(expandDims(ofNegative, 1), expandDims(ofPositive, 2));
    const beyond = mul(step(gap), expandDims(marks, 1));
    const place = cast(argMin(add(expandDims(ofNegative, 1), mul(sub(1, beyond), FAR)), 2), 'float32');
    const found = step(max(beyond, 2));
    return add(mul(place, found), mul(reshape(fallback, [-1, 1]), sub(1, found))) as Tensor2D;
  });
  return cast(negative, 'int32');
}
