import {
  add,
  cast,
  clone,
  cumsum,
  exp,
  expandDims,
  floor,
  log,
  max,
  maximum,
  minimum,
  mul,
  range,
  step,
  sub,
  sum,
  type Tensor2D,
  tensor2d,
} from '@tensorflow/tfjs-core';
import {checkFinite, checkFinitePositive, checkOptionNames, rangeError} from '../checks';
import {uniformFrom} from '../random';
import {spaceOf} from './distances';
import {anyOf} from './extremes';
import {miner} from './miner';
import type {Miner, Triplets} from './mining';
import {FAR, type PairBatch, positiveSlots} from './pairBatch';
import {inChunks} from './tripletChunks';

const NAME = 'distanceWeighted';

export interface DistanceWeightedOptions {
  /** Distance to which nearer negatives are clamped; > 0, below `nonzero` and 2. Default 0.5. */
  cutoff?: number;
  /** Distance from which negatives are never drawn; a finite number > 0. Default 1.4. */
  nonzero?: number;
  /** Seed: the same seed and embeddings give the same draw. Default 0. */
  seed?: number;
}

/**
 * Mines a random negative for each positive of an anchor, with all distances equally likely.
 *
 *     P(n) ∝ δ^(2 − D) · (1 − δ²/4)^((3 − D)/2),   δ = max(d_an, cutoff);   0 if d_an ≥ nonzero
 *
 * The chance is the inverse of the density of distances between random points on a sphere of `D`
 * dimensions. Embeddings are therefore normalised to length 1. An anchor without a negative to draw
 * has no triplet.
 *
 * A draw depends on the seed, on `context.step` and on the embeddings. A loss has no step: there
 * the draws differ because training changes the embeddings.
 *
 * @param options  `cutoff`, `nonzero`, `seed`.
 * @returns a miner, `(float32[B, D], int32[B])` → triplets of shape `[B, P]`: one slot per positive
 *   of an anchor, or on a GPU one per row.
 * @throws RangeError or TypeError for a wrong option; TypeError if the shapes do not fit.
 *
 * @example
 * const mine = distanceWeighted({seed: 1});
 * const {negative} = mine(tf.tensor2d([[1, 0], [0, 1], [1, 1]]), tf.tensor1d([0, 0, 1], 'int32'));
 * negative.dataSync();   // Int32Array [2, 2, 0]
 *
 * @see Wu et al., Sampling Matters in Deep Embedding Learning, 2017, §4 (arXiv:1706.07567)
 */
export function distanceWeighted(options: DistanceWeightedOptions = {}): Miner {
  checkOptionNames(NAME, options, ['cutoff', 'nonzero', 'seed']);
  const {cutoff = 0.5, nonzero = 1.4, seed = 0} = options;
  checkFinitePositive(NAME, 'cutoff', cutoff);
  checkFinitePositive(NAME, 'nonzero', nonzero);
  checkFinite(NAME, 'seed', seed);
  if (cutoff >= Math.min(nonzero, 2)) {
    const remedy = 'Normalised embeddings are at most 2 apart.';
    throw rangeError(NAME, 'cutoff', `be below ${Math.min(nonzero, 2)}, or no negative is drawn`, cutoff, remedy);
  }
  const always = spaceOf(NAME, {}, 'euclidean');
  return miner(NAME, {always}, (batch) => drawn(batch, chances(batch, cutoff, nonzero), seed));
}

/** The largest float32 whose product with a sum of float32 stays below that sum. */
const BELOW_ONE = 1 - 2 ** -22;

/** Offset from 4, the largest squared distance of unit vectors, at which the logarithm is −∞. */
const ALMOST_OPPOSITE = 1e-6;

/**
 * Computes the weight of each negative in the draw, up to a factor per anchor, `float32[B, R]`.
 *
 * Each row is scaled by its own maximum. With the maximum of the batch, in many dimensions a single
 * close pair would make the weights of all other anchors 0.
 */
export function chances({distances, negatives, anchors}: PairBatch, cutoff: number, nonzero: number): Tensor2D {
  const dimensions = anchors.rows.shape[1];
  const delta = maximum(distances, cutoff);
  const rest = maximum(sub(1, mul(mul(delta, delta), 0.25)), ALMOST_OPPOSITE);
  const logarithms = add(mul(log(delta), 2 - dimensions), mul(log(rest), (3 - dimensions) / 2));
  const isNear = mul(negatives, step(sub(nonzero, delta)));
  const masked = sub(logarithms, mul(sub(1, isNear), FAR));
  return mul(exp(sub(masked, max(masked, 1, true))), isNear) as Tensor2D;
}

function drawn({positives, anchors, step: steps}: PairBatch, weights: Tensor2D, seed: number): Triplets {
  const {columns, marks} = positiveSlots(positives);
  const width = columns.shape[1];
  const uniform = uniformFrom(`${seed}/${steps}`);
  const noise = tensor2d(new Float32Array(columns.size).map(uniform), [columns.shape[0], width]);
  // Shifted by a number that training changes, uniform numbers stay uniform.
  const turned = add(noise, fraction(mul(sum(anchors.rows, 1, true), 1009)));
  const bounds = cumsum(weights, 1) as Tensor2D;
  const total = sum(weights, 1, true);
  const aims = mul(mul(fraction(turned as Tensor2D), BELOW_ONE), total) as Tensor2D;
  const negative = inChunks(columns, weights.shape[1], [aims, bounds], (rows) => {
    const [aim, bound] = rows as [Tensor2D, Tensor2D];
    // The index of the first bound beyond the aim is the number of bounds that are not.
    return sum(sub(1, step(sub(expandDims(bound, 1), expandDims(aim, 2)))), 2);
  });
  // Rounded, the last bound may be below the total; beyond it are only columns of weight 0.
  const last = max(mul(step(weights), range(0, weights.shape[1])), 1, true);
  return {
    positive: clone(columns),
    negative: cast(minimum(negative, last), 'int32') as Tensor2D,
    weights: mul(marks, anyOf(weights)) as Tensor2D,
  };
}

function fraction(values: Tensor2D): Tensor2D {
  return sub(values, floor(values));
}
