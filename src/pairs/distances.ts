/** @file Distances between embeddings, and their gradients. */

import {
  abs,
  add,
  cast,
  concat,
  customGrad,
  div,
  isFinite as isFiniteTensor,
  logicalAnd,
  matMul,
  max,
  maximum,
  mul,
  neg,
  relu,
  reshape,
  slice,
  sqrt,
  square,
  step,
  stridedSlice,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
  transpose,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {checkBoolean, checkOneOf, typeError} from '../checks';
import {gatherRows, scatterRows} from '../rows';
import {nearOrigin, withClosePairs} from './exactDistances';

/** Distance of embeddings: `‖a − b‖`, `‖a − b‖²`, or a similarity, `cos(a, b)` or `a · b`. */
export type PairDistance = 'euclidean' | 'squaredEuclidean' | 'cosine' | 'dot';

export interface DistanceOptions {
  /** Distance or similarity of two embeddings. */
  distance?: PairDistance;
  /** Whether to normalise embeddings to length 1. Default true, false for `'dot'`. */
  normalize?: boolean;
}

/** The names of {@link DistanceOptions}. */
export const DISTANCE_OPTIONS = ['distance', 'normalize'] as const;

/** A distance as the formulas use it; similarities are negated. */
export interface Space {
  distance: PairDistance;
  normalize: boolean;
  isSimilarity: boolean;
}

const DISTANCES: readonly PairDistance[] = ['euclidean', 'squaredEuclidean', 'cosine', 'dot'];

/** Checks the options of a distance. */
export function spaceOf(name: string, options: DistanceOptions, byDefault: PairDistance): Space {
  const {distance = byDefault} = options;
  checkOneOf(name, 'distance', distance, DISTANCES);
  const {normalize = distance !== 'dot'} = options;
  checkBoolean(name, 'normalize', normalize);
  if (distance === 'cosine' && !normalize) {
    throw typeError(name, 'normalize', "be true for distance: 'cosine'", normalize, "Use distance: 'dot'.");
  }
  return {distance, normalize, isSimilarity: distance === 'cosine' || distance === 'dot'};
}

/** Whether two distances are the same function. */
export function isSameSpace(one: Space, other: Space): boolean {
  const isCosine = ({distance, normalize}: Space) => distance === 'cosine' || (distance === 'dot' && normalize);
  if (isCosine(one) && isCosine(other)) return true;
  return one.distance === other.distance && one.normalize === other.normalize;
}

/** Embeddings prepared for a distance. A type alias, so that `tf.tidy` accepts it. */
export type Vectors = {
  /** `float32[B, D]`; rows that are not finite are 0. */
  rows: Tensor2D;
  /**
   * `float32[B, 1]`: derivative of a row by its embedding, up to direction; 0 for constant rows.
   */
  rates: Tensor2D;
  /** `bool[B, 1]`: rows with finite numbers and finite squares. */
  finite: Tensor2D;
};

/** Length below which a vector has no direction: its row is 1e12 times it, without a gradient. */
const SHORTEST = 1e-12;

/** Bound of squares: larger ones may overflow float32 when divided by a temperature. */
const LARGEST_SQUARE = 1e30;

/** Prepares embeddings for a distance. */
export function vectorsOf({normalize}: Space, embeddings: Tensor2D): Vectors {
  const largest = max<Tensor2D>(abs(embeddings), 1, true);
  const columns = embeddings.shape[1];
  // The squares of numbers up to this bound sum to less than LARGEST_SQUARE.
  const bound = normalize ? 3e38 : Math.sqrt(LARGEST_SQUARE / columns);
  const finite = logicalAnd<Tensor2D>(isFiniteTensor(largest), isFiniteTensor(sum(embeddings, 1, true)));
  const isUsable = logicalAnd<Tensor2D>(finite, isAtMost(largest, bound));
  const rows = masked(isUsable, embeddings);
  const marks = mul<Tensor2D>(cast(isUsable, 'float32'), 1);
  if (!normalize) return {rows, rates: marks, finite: isUsable};
  // In units of the largest entry: squares of large entries overflow, and small ones underflow.
  const unit = maximum(masked(isUsable, largest), SHORTEST);
  const scaled = div<Tensor2D>(rows, unit);
  const length = maximum(sqrt(sum(square(scaled), 1, true)), 1);
  const moves = mul(marks, step(sub(masked(isUsable, largest), SHORTEST)));
  return {rows: div(scaled, length), rates: div(div(moves, unit), length), finite: isUsable};
}

const isAtMost = (values: Tensor2D, bound: number): Tensor2D =>
  cast(sub(1, step(sub(where(isFiniteTensor(values), values, zerosLike(values)), bound))), 'bool');

/** Replaces the other rows by 0. A product would not do, because 0 · NaN is NaN. */
function masked(isUsable: Tensor2D, values: Tensor2D): Tensor2D {
  const marks = values.shape[1] === 1 ? isUsable : cast(add(cast(isUsable, 'float32'), zerosLike(values)), 'bool');
  return where(marks as Tensor2D, values, zerosLike(values)) as Tensor2D;
}

/**
 * Computes all distances, `float32[B, R]`: smaller is nearer, so similarities are negated.
 *
 * The squares come from the diagonal of the same matrix product, so that equal rows have distance
 * exactly 0.
 */
export function distancesBetween(space: Space, from: Tensor2D, to: Tensor2D): Tensor2D {
  if (space.isSimilarity) return neg(matMul<Tensor2D>(from, transpose(to)));
  const [rows, others] = nearOrigin(from, to);
  const squared = withClosePairs(squaredBetween(rows, others), rows, others);
  return space.distance === 'euclidean' ? sqrt(squared) : squared;
}

function squaredBetween(from: Tensor2D, to: Tensor2D): Tensor2D {
  const products = matMul<Tensor2D>(from, transpose(to));
  const isSame = from === to;
  const squares = isSame ? diagonal(products) : (sum(square(from), 1) as Tensor1D);
  const others = isSame ? squares : (sum(square(to), 1) as Tensor1D);
  // This order keeps the distances symmetric.
  const sums = add(reshape(squares, [-1, 1]), reshape(others, [1, -1]));
  return relu(sub(sums, mul(products, 2))) as Tensor2D;
}

function diagonal(matrix: Tensor2D): Tensor1D {
  const [rows, columns] = matrix.shape;
  return stridedSlice(reshape(matrix, [rows * columns]), [0], [rows * columns], [columns + 1]) as Tensor1D;
}

/** Added to distances before a division: positive, but far below any distance. */
const TINY = 1e-30;

/**
 * Computes `∂ Σ slopes · distances / ∂ embeddings` of the anchors.
 *
 * The gradient of a distance of 0 is 0. Without `to`, anchors are compared with one another, and
 * each row gets the gradient of both ends. With `to`, only its first `own` rows, the anchors, do.
 *
 * @param slopes  `float32[B, R]`.
 * @param distances  `float32[B, R]`, for `'euclidean'`.
 */
export function gradientOfDistances(
  space: Space,
  slopes: Tensor2D,
  distances: Tensor2D,
  {rows, rates}: Pick<Vectors, 'rows' | 'rates'>,
  to?: Tensor2D,
  own = 0,
): Tensor2D {
  const factors = factorsOf(space, slopes, distances);
  const ends = own > 0 ? transpose<Tensor2D>(slice(factors, [0, 0], [-1, own])) : undefined;
  const pulls = to ? factors : add<Tensor2D>(factors, transpose(factors));
  const [near, others] = space.isSimilarity ? [rows, to ?? rows] : nearOrigin(rows, to ?? rows);
  const ofEnds = ends && matMul<Tensor2D>(ends, near);
  const ofOthers = matMul<Tensor2D>(pulls, others);
  const towards = ofEnds ? add<Tensor2D>(ofOthers, ofEnds) : ofOthers;
  const total = ends ? add(sum(pulls, 1, true), sum(ends, 1, true)) : sum(pulls, 1, true);
  const moved = space.isSimilarity ? neg(towards) : sub(mul(near, total), towards);
  return throughLengths(space, moved as Tensor2D, {rows, rates});
}

/** Prepares embeddings for a distance, with a gradient. */
export function differentiableRows(space: Space, embeddings: Tensor2D): Tensor2D {
  return customGrad((given, save) => {
    const {rows, rates} = vectorsOf(space, given as Tensor2D);
    (save as (tensors: Tensor[]) => void)([rows, rates]);
    const gradFunc = (dy: Tensor, [saved, moves]: Tensor[]) =>
      tidy(() => throughLengths(space, dy as Tensor2D, {rows: saved as Tensor2D, rates: moves as Tensor2D}));
    return {value: rows, gradFunc};
  })(embeddings) as Tensor2D;
}

/** Converts a gradient by the prepared rows to one by the embeddings. */
function throughLengths({normalize}: Space, moved: Tensor2D, {rows, rates}: Pick<Vectors, 'rows' | 'rates'>): Tensor2D {
  const along = normalize ? sub(moved, mul(rows, sum(mul(moved, rows), 1, true))) : moved;
  return mul(along, rates) as Tensor2D;
}

/** Selected pairs of rows. A type alias, so that `tf.tidy` accepts it. */
export type RowPairs = {
  /** `int32[K, 1]`, the two rows of each pair. */
  first: Tensor2D;
  second: Tensor2D;
  /** `float32[K, 1]`, the distance of each pair. */
  distances: Tensor2D;
  /** `float32[K, 1]`, the slope by each distance. */
  slopes: Tensor2D;
};

/** Computes {@link gradientOfDistances} for selected pairs, without a matrix product. */
export function gradientOfPairs(
  space: Space,
  pairs: readonly RowPairs[],
  vectors: Pick<Vectors, 'rows' | 'rates'>,
): Tensor2D {
  const {rows} = vectors;
  const ends = pairs.flatMap(({first, second, distances, slopes}) => {
    const factors = factorsOf(space, slopes, distances);
    const [one, other] = [gatherRows(rows, first), gatherRows(rows, second)];
    if (space.isSimilarity) {
      const pulls = neg(factors);
      return [
        {at: first, moved: mul(other, pulls)},
        {at: second, moved: mul(one, pulls)},
      ];
    }
    const moved = mul(sub(one, other), factors);
    return [
      {at: first, moved},
      {at: second, moved: neg(moved)},
    ];
  });
  const moved = scatterRows(concat(ends.map(({at}) => at)), concat(ends.map((end) => end.moved)), rows.shape[0]);
  return throughLengths(space, moved as Tensor2D, vectors);
}

/**
 * Computes the factors that turn differences of rows (or rows, for similarities) into gradients.
 */
function factorsOf({distance}: Space, slopes: Tensor2D, distances: Tensor2D): Tensor2D {
  if (distance === 'squaredEuclidean') return mul(slopes, 2);
  if (distance !== 'euclidean') return slopes;
  return mul(step(distances), div(slopes, add(distances, TINY)));
}
