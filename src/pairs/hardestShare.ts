import {
  abs,
  add,
  cast,
  gatherND,
  less,
  lessEqual,
  max,
  maximum,
  min,
  minimum,
  mul,
  reshape,
  sqrt,
  step,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  tensor1d,
  where,
} from '@tensorflow/tfjs-core';
import {checkRatio} from '../checks';
import type {DistanceOptions} from './distances';
import {checkMinerOptions, miner} from './miner';
import type {Miner} from './mining';
import {FAR} from './pairBatch';

const NAME = 'hardestShare';

export interface HardestShareOptions extends DistanceOptions {
  /** Share of the positive pairs, and of the negative pairs, in (0, 1]. Default 0.5. */
  ratio?: number;
}

/**
 * Mines the farthest share of a batch's positive pairs and the nearest share of its negative pairs.
 *
 *     the ⌈ratio · |positive pairs|⌉ largest d_ap,    the ⌈ratio · |negative pairs|⌉ smallest d_an
 *
 * The mining of hard-aware cascades. Pairs of equal distance are kept or dropped together, as are
 * `(i, j)` and `(j, i)`.
 *
 * @param options  `ratio`; `distance`, `normalize` (default: those of the loss).
 * @returns a miner, `(float32[B, D], int32[B])` → pairs of shape `[B, B]`.
 * @throws RangeError or TypeError for a wrong option; TypeError if the shapes do not fit.
 *
 * @example
 * const mine = hardestShare({ratio: 0.5, normalize: false});
 * const {negatives} = mine(tf.tensor2d([[0], [2], [3]]), tf.tensor1d([0, 0, 1], 'int32'));
 * negatives.dataSync();   // Float32Array [0, 0, 0, 0, 0, 1, 0, 1, 0]
 *
 * @see Yuan, Yang, Zhang, Hard-Aware Deeply Cascaded Embedding, 2017, §3.2 (arXiv:1611.05720)
 */
export function hardestShare(options: HardestShareOptions = {}): Miner {
  checkMinerOptions(NAME, options, ['ratio']);
  const {ratio = 0.5} = options;
  checkRatio(NAME, 'ratio', ratio);
  return miner(NAME, options, ({distances, positives, negatives}) => ({
    positives: largestShare(distances, positives, ratio),
    negatives: largestShare(mul(distances, -1), negatives, ratio),
  }));
}

/**
 * Number of halvings after which the bounds are float32 neighbours: 1 finds the sign, 8 the power
 * of two, 25 the digits.
 */
const HALVINGS = 36;

/** Smaller magnitudes than this count as 0: just above the smallest normal float32. */
const TINY = 2e-38;

/**
 * Masks the largest share of the masked values.
 *
 * Bisection: a sort of `B²` numbers takes longer than counting them some forty times, and the size
 * of its result would need a read.
 */
function largestShare(values: Tensor2D, marks: Tensor2D, ratio: number): Tensor2D {
  const away = mul(sub(1, marks), FAR);
  const masked = sub(values, away);
  const count = shareOf(sum(marks), ratio, marks.size);
  // Invariant: at least `count` values reach the lower bound, and fewer reach the upper one.
  const largest = max(masked);
  let lower: Tensor = min(add(values, away));
  let upper: Tensor = add(largest, add(mul(abs(largest), 1e-6), TINY));
  for (let i = 0; i < HALVINGS; i++) {
    const middle = between(lower, upper);
    const isEnough = lessEqual(count, sum(sub(1, step(sub(middle, masked)))));
    [lower, upper] = [where(isEnough, middle, lower), where(isEnough, upper, middle)];
  }
  return mul(marks, sub(1, step(sub(lower, masked))));
}

/**
 * Returns a number between two bounds: 0 if their signs differ, the geometric mean if one is more
 * than twice the other, else the arithmetic mean.
 *
 * With the arithmetic mean alone, bounds of 1e16 and 1 would need more halvings than float32 has
 * digits.
 */
function between(lower: Tensor, upper: Tensor): Tensor {
  const [isNegative, isPositive] = [step(mul(lower, -1)), step(upper)];
  const isAcross = mul(isNegative, isPositive);
  const [one, other] = [maximum(abs(lower), TINY), maximum(abs(upper), TINY)];
  const isWide = less(mul(minimum(one, other), 2), maximum(one, other));
  const geometric = mul(mul(sqrt(one), sqrt(other)), sub(1, mul(isNegative, 2)));
  const arithmetic = add(mul(lower, 0.5), mul(upper, 0.5));
  return mul(where(isWide, geometric, arithmetic), sub(1, isAcross));
}

/** Computes `⌈ratio · count⌉` on the host: in float32 a product like 0.7 · 90 may exceed 63. */
function shareOf(count: Tensor, ratio: number, most: number): Tensor {
  const table = Float32Array.from({length: most + 1}, (_, n) => Math.ceil(ratio * n * (1 - 2 ** -40)));
  return reshape(gatherND(tensor1d(table), reshape(cast(count, 'int32'), [1, 1])), []);
}
