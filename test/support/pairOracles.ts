/** @file Batches of the oracle files of pairs, and the rules of pairs in plain numbers. */
import {expandDims, type Tensor, tensor1d, tensor2d} from '@tensorflow/tfjs-core';
import type {DistanceOptions, Miner, Pairs, Triplets} from 'ohem-tfjs/pairs';
import {valuesAt} from '../../src/pairs/pairMasks';
import {rowsAt} from '../../src/pairs/tripletChunks';

type Numbers = readonly (number | string)[];

/** A batch as the files have it; numbers that JSON lacks are texts. */
export interface OracleBatch {
  kind: string;
  B: number;
  D: number;
  labels: number[];
  embeddings: Numbers;
  R?: number;
  reference_labels?: number[];
  reference_embeddings?: Numbers;
}

export const numbersOf = (values: Numbers): number[] => values.map(Number);

export const labelsOf = ({labels}: OracleBatch): Tensor => tensor1d(labels, 'int32');
export const embeddingsOf = ({embeddings, B, D}: OracleBatch): Tensor => tensor2d(numbersOf(embeddings), [B, D]);

/** The embeddings of a batch, row by row. */
export const rowsOfBatch = ({embeddings, B, D}: Pick<OracleBatch, 'embeddings' | 'B' | 'D'>): number[][] =>
  Array.from({length: B}, (_, i) => numbersOf(embeddings.slice(i * D, (i + 1) * D)));

/** The rows that the anchors are compared with, if they are others. */
export function referenceOf({reference_labels, reference_embeddings, R, D}: OracleBatch) {
  if (!reference_labels || !reference_embeddings || R === undefined) return undefined;
  return {
    labels: tensor1d(reference_labels, 'int32') as Tensor,
    embeddings: tensor2d(numbersOf(reference_embeddings), [R, D]) as Tensor,
  };
}

/** The distances by the names of the files. */
export const DISTANCES: Record<string, DistanceOptions> = {
  lp: {distance: 'euclidean'},
  lp_raw: {distance: 'euclidean', normalize: false},
  lp2: {distance: 'squaredEuclidean'},
  lp2_raw: {distance: 'squaredEuclidean', normalize: false},
  cosine: {distance: 'cosine'},
  dot: {distance: 'dot', normalize: true},
  dot_raw: {distance: 'dot'},
  euclidean: {distance: 'euclidean', normalize: false},
  squared_euclidean: {distance: 'squaredEuclidean', normalize: false},
};

export type Triplet = readonly [anchor: number, positive: number, negative: number];
export type Pair = readonly [anchor: number, other: number];

const inOrder = <T extends readonly number[]>(lists: T[]): T[] =>
  lists.sort(
    (a, b) => (a[0] as number) - (b[0] as number) || (a[1] as number) - (b[1] as number) || (a[2] ?? 0) - (b[2] ?? 0),
  );

/** Lists what a miner takes as triplets, in order. */
export function listTriplets(mined: Triplets | Pairs): Triplet[] {
  if ('weights' in mined) {
    const width = mined.weights.shape[1];
    const [positive, negative, weights] = [mined.positive, mined.negative, mined.weights].map((tensor) =>
      tensor.dataSync(),
    );
    const slots = Array.from(weights ?? [], (weight, i) => ({weight, i})).filter(({weight}) => weight > 0);
    return inOrder(
      slots.map(({i}) => [Math.floor(i / width), positive?.[i] as number, negative?.[i] as number] as const),
    );
  }
  const {positives, negatives} = listPairs(mined);
  const keeps = keeperOf(mined);
  const all = positives.flatMap(([a, p]) => negatives.flatMap(([b, n]) => (a === b ? [[a, p, n] as const] : [])));
  return inOrder(all.filter(([a, p, n]) => keeps(a, p, n)));
}

/** Evaluates the rule of triplets at all of them. */
function keeperOf({positives, triplets}: Pairs): (a: number, p: number, n: number) => boolean {
  if (!triplets) return () => true;
  const [rows, columns] = positives.shape;
  const every = tensor2d(
    Array.from({length: rows}, () => Array.from({length: columns}, (_, p) => p)),
    [rows, columns],
    'int32',
  );
  const {distances, between, keeps} = triplets;
  const ofPositive = expandDims(valuesAt(distances, every), 2);
  const kept = keeps(ofPositive, expandDims(distances, 1), between && rowsAt(between, every)).dataSync();
  return (a, p, n) => kept[(a * columns + p) * columns + n] === 1;
}

/** Lists what a miner takes as pairs, in order. */
export function listPairs({positives, negatives}: Pairs): {positives: Pair[]; negatives: Pair[]} {
  const listed = (marks: Tensor) => {
    const width = marks.shape[1] as number;
    const found = Array.from(marks.dataSync(), (mark, i) => ({mark, i})).filter(({mark}) => mark > 0);
    return inOrder(found.map(({i}) => [Math.floor(i / width), i % width] as const));
  };
  return {positives: listed(positives), negatives: listed(negatives)};
}

/** A miner that gives a list of triplets, in slots of its anchors. */
export function givenTriplets(list: readonly Triplet[]): Miner {
  return (embeddings) => {
    const rows = embeddings.shape[0] as number;
    const of = Array.from({length: rows}, (_, a) => list.filter(([anchor]) => anchor === a));
    const width = Math.max(1, ...of.map(({length}) => length));
    const slots = (f: (triplet: Triplet | undefined) => number) =>
      of.map((ofRow) => Array.from({length: width}, (_, slot) => f(ofRow[slot])));
    return {
      positive: tensor2d(
        slots((triplet) => triplet?.[1] ?? 0),
        [rows, width],
        'int32',
      ),
      negative: tensor2d(
        slots((triplet) => triplet?.[2] ?? 0),
        [rows, width],
        'int32',
      ),
      weights: tensor2d(
        slots((triplet) => (triplet ? 1 : 0)),
        [rows, width],
      ),
    };
  };
}

/** A miner that gives lists of pairs. */
export function givenPairs(positives: readonly Pair[], negatives: readonly Pair[]): Miner {
  return (embeddings, _, context) => {
    const [rows, columns] = context?.distances?.shape ?? [embeddings.shape[0] as number, embeddings.shape[0] as number];
    const marked = (pairs: readonly Pair[]) => {
      const marks = new Float32Array(rows * columns);
      for (const [row, column] of pairs) marks[row * columns + column] = 1;
      return tensor2d(marks, [rows, columns]);
    };
    return {positives: marked(positives), negatives: marked(negatives)};
  };
}

/** Lists lists of equal length side by side. */
export function zipped(...lists: readonly (readonly number[])[]): number[][] {
  return (lists[0] ?? []).map((_, i) => lists.map((list) => list[i] as number));
}

/** All distances in float64: smaller is nearer, so that similarities are negated. */
export function plainDistances(
  rows: readonly number[][],
  {distance = 'euclidean', normalize}: DistanceOptions,
  others = rows,
): number[][] {
  const isNormal = normalize ?? distance !== 'dot';
  const unit = (row: number[]) => {
    const length = Math.max(Math.hypot(...row), 1e-12);
    return isNormal ? row.map((value) => value / length) : row;
  };
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
  const squared = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + (value - (b[i] as number)) ** 2, 0);
  const units = others.map(unit);
  return rows.map(unit).map((a) =>
    units.map((b) => {
      if (distance === 'cosine' || distance === 'dot') return -dot(a, b);
      return distance === 'euclidean' ? Math.sqrt(squared(a, b)) : squared(a, b);
    }),
  );
}
