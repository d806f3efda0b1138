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

/** How far two embeddings are apart: `‖a − b‖`, `‖a − b‖²`, or a similarity, `cos(a, b)` or `a · b`. */
export type PairDistance = 'euclidean' | 'squaredEuclidean' | 'cosine' | 'dot';

export interface DistanceOptions {
  /** How far two embeddings are apart. */
  distance?: PairDistance;
  /** Whether embeddings are divided by their lengths first. Default true, false for `'dot'`. */
  normalize?: boolean;
}

/** The names of {@link DistanceOptions}. */
export const DISTANCE_OPTIONS = ['distance', 'normalize'] as const;

/** A distance as the formulas see it: of a similarity, the negative one. */
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

/** Embeddings as a distance uses them. (A type, so that `tf.tidy` takes it.) */
export type Vectors = {
  /** `float32[B, D]`; rows that are not finite are 0. */
  rows: Tensor2D;
  /** `float32[B, 1]`: what a change of an embedding moves its row by, and 0 if nothing moves it. */
  rates: Tensor2D;
  /** `bool[B, 1]`: rows with finite numbers, of finite squares. */
  finite: Tensor2D;
};

/** A shorter vector has no direction: its row is its multiple of 1e12, as in PyTorch, and nothing moves it. */
const SHORTEST = 1e-12;

/** Larger squares may overflow float32, once they are divided by a temperature. */
const LARGEST_SQUARE = 1e30;

/** Prepares embeddings for a distance. */
export function vectorsOf({normalize}: Space, embeddings: Tensor2D): Vectors {
  const largest = max<Tensor2D>(abs(embeddings), 1, true);
  const columns = embeddings.shape[1];
  // Of numbers up to the largest, the squares add up to less than this.
  const bound = normalize ? 3e38 : Math.sqrt(LARGEST_SQUARE / columns);
  const finite = logicalAnd<Tensor2D>(isFiniteTensor(largest), isFiniteTensor(sum(embeddings, 1, true)));
  const isUsable = logicalAnd<Tensor2D>(finite, isAtMost(largest, bound));
  const rows = masked(isUsable, embeddings);
  const marks = mul<Tensor2D>(cast(isUsable, 'float32'), 1);
  if (!normalize) return {rows, rates: marks, finite: isUsable};
  // In units of the largest entry: squares of large entries overflow, and those of small ones are 0.
  const unit = maximum(masked(isUsable, largest), SHORTEST);
  const scaled = div<Tensor2D>(rows, unit);
  const length = maximum(sqrt(sum(square(scaled), 1, true)), 1);
  const moves = mul(marks, step(sub(masked(isUsable, largest), SHORTEST)));
  return {rows: div(scaled, length), rates: div(div(moves, unit), length), finite: isUsable};
}

const isAtMost = (values: Tensor2D, bound: number): Tensor2D =>
  cast(sub(1, step(sub(where(isFiniteTensor(values), values, zerosLike(values)), bound))), 'bool');

/** Replaces rows by 0. A product would not: 0 · NaN is NaN. */
function masked(isUsable: Tensor2D, values: Tensor2D): Tensor2D {
  const marks = values.shape[1] === 1 ? isUsable : cast(add(cast(isUsable, 'float32'), zerosLike(values)), 'bool');
  return where(marks as Tensor2D, values, zerosLike(values)) as Tensor2D;
}

/**
 * Computes all distances, `float32[B, R]`: smaller is nearer, so that a similarity is negated.
 *
 * The squares come from the diagonal of the very product that they are compared with, so that equal
 * rows have the distance 0.
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
  // In this order, the distance from a to b is the one from b to a.
  const sums = add(reshape(squares, [-1, 1]), reshape(others, [1, -1]));
  return relu(sub(sums, mul(products, 2))) as Tensor2D;
}

function diagonal(matrix: Tensor2D): Tensor1D {
  const [rows, columns] = matrix.shape;
  return stridedSlice(reshape(matrix, [rows * columns]), [0], [rows * columns], [columns + 1]) as Tensor1D;
}

/** Added to a distance before it divides: far below any distance, and above 0. */
const TINY = 1e-30;

/**
 * Computes `∂ Σ slopes · distances / ∂ embeddings` of the anchors.
 *
 * The gradient of the distance 0 is 0. Without `to`, anchors are compared with one another, and
 * each row gets the gradient of both of its ends; with `to`, only the first `own` of its rows do,
 * which are the anchors.
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

/** Prepares embeddings that are differentiated through. */
export function differentiableRows(space: Space, embeddings: Tensor2D): Tensor2D {
  return customGrad((given, save) => {
    const {rows, rates} = vectorsOf(space, given as Tensor2D);
    (save as (tensors: Tensor[]) => void)([rows, rates]);
    const gradFunc = (dy: Tensor, [saved, moves]: Tensor[]) =>
      tidy(() => throughLengths(space, dy as Tensor2D, {rows: saved as Tensor2D, rates: moves as Tensor2D}));
    return {value: rows, gradFunc};
  })(embeddings) as Tensor2D;
}

/** The gradient by embeddings, from that by the rows that they are as a distance uses them. */
function throughLengths({normalize}: Space, moved: Tensor2D, {rows, rates}: Pick<Vectors, 'rows' | 'rates'>): Tensor2D {
  const along = normalize ? sub(moved, mul(rows, sum(mul(moved, rows), 1, true))) : moved;
  return mul(along, rates) as Tensor2D;
}

/** Some pairs of rows. (A type, so that `tf.tidy` takes it.) */
export type RowPairs = {
  /** `int32[K, 1]`, both ends of each pair. */
  first: Tensor2D;
  second: Tensor2D;
  /** `float32[K, 1]`, their distances. */
  distances: Tensor2D;
  /** `float32[K, 1]`, the slope by each distance. */
  slopes: Tensor2D;
};

/** Computes what {@link gradientOfDistances} does from some pairs of rows, without a product of matrices. */
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

/** The slope by each difference of rows is a factor times that difference; by each product it is the slope. */
function factorsOf({distance}: Space, slopes: Tensor2D, distances: Tensor2D): Tensor2D {
  if (distance === 'squaredEuclidean') return mul(slopes, 2);
  if (distance !== 'euclidean') return slopes;
  return mul(step(distances), div(slopes, add(distances, TINY)));
}
