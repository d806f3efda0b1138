import {
  cast,
  gatherND,
  matMul,
  mul,
  slice,
  sub,
  Tensor,
  type Tensor2D,
  tensor2d,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import {
  checkCount,
  checkFinite,
  checkNotNegative,
  checkOneOf,
  checkOptionNames,
  checkWhole,
  rangeError,
  typeError,
} from '../checks';
import {offTape} from '../engine';
import {uniformFrom} from '../random';
import {largestFirst} from '../rows';
import {vectorsOf} from './distances';
import {checkPositives, type Dropped, type NegativeRules, type QueryCandidates, sift} from './negativeRules';
import {FAR} from './pairBatch';
import {type TowerSimilarity, towerSpace} from './towers';

const NAME = 'mineHardNegatives';

export interface MineHardNegativesOptions extends NegativeRules {
  /** `float32[Q, D]`. */
  queries: Tensor;
  /** `float32[N, D]`. */
  documents: Tensor;
  /** Row of the relevant document, or rows of the relevant documents, of each query. */
  positives: ArrayLike<number | ArrayLike<number>>;
  /** Similarity of embeddings. Default `'cosine'`. */
  similarity?: TowerSimilarity;
  /**
   * Number of nearest documents that are candidates, without the positives. Default `rangeMin +
   * count`, or `rangeMin + 10 · count` with a margin or `maxScore`, plus the largest number of
   * positives of a query.
   */
  rangeMax?: number;
  /** Whether to take the nearest candidates or random ones. Default `'top'`. */
  sampling?: 'top' | 'random';
  /** Seed of the random candidates. Default 0. */
  seed?: number;
  /** Number of queries compared at a time; an integer ≥ 1. Default: 8 MB of scores. */
  batchSize?: number;
}

/** Result of {@link mineHardNegatives}. */
export interface MinedNegatives {
  /** Rows of the mined documents of each query, most similar first unless sampled at random. */
  negatives: Int32Array[];
  /** Similarities of the mined documents to the query. */
  scores: Float32Array[];
  /** Number of candidates that each rule dropped. */
  dropped: Dropped;
  /** Number of queries with fewer than `count` negatives. */
  short: number;
}

const OPTIONS = [
  ...['queries', 'documents', 'positives', 'similarity', 'rangeMin', 'rangeMax', 'absoluteMargin'],
  ...['relativeMargin', 'minScore', 'maxScore', 'count', 'sampling', 'seed', 'batchSize'],
];

/** Number of scores in one tensor: 8 MB. */
const AT_ONCE = 2 ** 21;

/**
 * Finds documents that are similar to a query but not relevant, to train on.
 *
 *     candidates = the rangeMax most similar documents without the positives
 *     ρ = the smallest score of a positive
 *     dropped: s > ρ − absoluteMargin,  s > ρ − relativeMargin · |ρ|,  s > maxScore,  s < minScore
 *     negatives = `count` of the rest, without its first `rangeMin`
 *
 * A margin excludes candidates that are probably unlabelled positives; `relativeMargin: 0.05` is a
 * good start. The comparison runs on the device, several queries at a time, and then reads the
 * candidates' scores. Documents that are not finite are not candidates. A query that is not finite,
 * or whose positives are not, has no negatives.
 *
 * @param options  `queries`, `documents`, `positives`; `count`, `rangeMin`, `rangeMax`,
 *   `absoluteMargin`, `relativeMargin`, `minScore`, `maxScore`, `sampling`, `seed`, `similarity`,
 *   `batchSize`.
 * @returns a promise of `{negatives, scores, dropped, short}`.
 * @throws RangeError or TypeError for a wrong option.
 *
 * @example
 * const {negatives, dropped} = await mineHardNegatives({
 *   queries: tf.tensor2d([[1, 0]]),
 *   documents: tf.tensor2d([[1, 0.1], [1, 0.2], [1, 1], [0, 1]]),
 *   positives: [0],
 *   relativeMargin: 0.05,
 *   count: 1,
 * });
 * negatives[0];   // Int32Array [2]
 * dropped.relativeMargin;   // 1
 *
 * @see Moreira et al., NV-Retriever, 2024, §3.2 (arXiv:2407.15831)
 */
export async function mineHardNegatives(
  options: MineHardNegativesOptions = {} as MineHardNegativesOptions,
): Promise<MinedNegatives> {
  const {queries, documents, similarity = 'cosine', count = 3, sampling = 'top', seed = 0} = checked(options);
  const space = towerSpace(NAME, similarity);
  const [total, size] = [queries.shape[0] as number, documents.shape[0] as number];
  const positives = checkPositives(NAME, options.positives, total, size);
  const most = Math.max(...positives.map((rows) => rows.length));
  const rangeMax = options.rangeMax ?? defaultRange(options, count) + most;
  const batchSize = options.batchSize ?? Math.max(1, Math.floor(AT_ONCE / size));
  const found = offTape(() => tidy(() => pick(vectorsOf(space, documents as Tensor2D), size)));
  const mined: MinedNegatives = {negatives: [], scores: [], dropped: noneDropped(), short: 0};
  try {
    for (let from = 0; from < total; from += batchSize) {
      const own = positives.slice(from, from + batchSize);
      const asked = offTape(() =>
        tidy(() => {
          const vectors = vectorsOf(space, slice(queries, [from, 0], [own.length, -1]) as Tensor2D);
          return nearestOf(pick(vectors, own.length), found, own, Math.min(size, rangeMax + most));
        }),
      );
      for (const [i, candidates] of (await read(asked, own)).entries()) {
        const rest = sift(candidates, {...options, rangeMax}, mined.dropped);
        const taken = sampling === 'top' ? rest.slice(0, count) : drawn(rest, count, `${seed}/${from + i}`);
        mined.negatives.push(Int32Array.from(taken, ({row}) => row));
        mined.scores.push(Float32Array.from(taken, ({score}) => score));
        if (taken.length < count) mined.short++;
      }
    }
  } finally {
    found.rows.dispose();
    found.finite.dispose();
  }
  return mined;
}

const noneDropped = (): Dropped => ({absoluteMargin: 0, relativeMargin: 0, maxScore: 0, minScore: 0, rangeMin: 0});

function defaultRange({rangeMin = 0, absoluteMargin, relativeMargin, maxScore}: NegativeRules, count: number): number {
  const isFiltered = [absoluteMargin, relativeMargin, maxScore].some((rule) => rule !== undefined);
  return rangeMin + count * (isFiltered ? 10 : 1);
}

function checked(options: MineHardNegativesOptions): MineHardNegativesOptions {
  checkOptionNames(NAME, options, OPTIONS);
  const {queries, documents, count, rangeMin, rangeMax, batchSize, sampling} = options;
  const isMatrix = (given: Tensor) =>
    given instanceof Tensor && given.rank === 2 && given.dtype === 'float32' && given.size > 0;
  if (!isMatrix(queries)) throw typeError(NAME, 'queries', 'be float32[Q, D]', queries);
  if (!isMatrix(documents) || documents.shape[1] !== queries.shape[1]) {
    throw typeError(NAME, 'documents', `be float32[N, ${queries.shape[1]}], as wide as the queries`, documents);
  }
  if (count !== undefined) checkCount(NAME, 'count', count);
  if (rangeMin !== undefined) checkWhole(NAME, 'rangeMin', rangeMin);
  if (rangeMax !== undefined) checkCount(NAME, 'rangeMax', rangeMax);
  if (rangeMax !== undefined && rangeMax <= (rangeMin ?? 0)) {
    throw rangeError(NAME, 'rangeMax', `be above rangeMin: ${rangeMin ?? 0}`, rangeMax);
  }
  if (batchSize !== undefined) checkCount(NAME, 'batchSize', batchSize);
  for (const margin of ['absoluteMargin', 'relativeMargin'] as const) {
    if (options[margin] !== undefined) checkNotNegative(NAME, margin, options[margin]);
  }
  for (const score of ['minScore', 'maxScore', 'seed'] as const) {
    if (options[score] !== undefined) checkFinite(NAME, score, options[score]);
  }
  if (sampling !== undefined) checkOneOf(NAME, 'sampling', sampling, ['top', 'random']);
  return options;
}

/** Rows to compare, and a mask of the finite ones, `float32[N, 1]`. */
type Rows = {rows: Tensor2D; finite: Tensor2D};

function pick({rows, finite}: {rows: Tensor2D; finite: Tensor2D}, size: number): Rows {
  return {rows: slice(rows, [0, 0], [size, -1]), finite: mul(cast(finite, 'float32'), 1)};
}

type Nearest = {values: Tensor2D; indices: Tensor2D; own: Tensor; finite: Tensor2D};

/** Finds the most similar documents of some queries and the scores of their positives. */
function nearestOf(asked: Rows, found: Rows, positives: readonly number[][], count: number): Nearest {
  const away = transpose(mul(sub(1, found.finite), FAR));
  const scores = sub<Tensor2D>(matMul(asked.rows, transpose(found.rows)), away);
  const {values, indices} = largestFirst(scores, count);
  const places = positives.flatMap((rows, query) => rows.map((row) => [query, row]));
  const own = gatherND(scores, tensor2d(places, [places.length, 2], 'int32'));
  return {values, indices, own, finite: asked.finite};
}

/** Reads the candidates of some queries. */
async function read(
  {values, indices, own, finite}: Nearest,
  positives: readonly number[][],
): Promise<QueryCandidates[]> {
  try {
    const width = values.shape[1];
    const [scores, rows, ofPositives, known] = await Promise.all([
      values.data(),
      indices.data(),
      own.data(),
      finite.data(),
    ]);
    let next = 0;
    return positives.map((ownRows, query) => {
      const reference = Math.min(...ofPositives.subarray(next, next + ownRows.length));
      next += ownRows.length;
      const isKnown = known[query] === 1 && reference > -FAR / 2;
      const all = Array.from({length: isKnown ? width : 0}, (_, place) => ({
        row: rows[query * width + place] as number,
        score: scores[query * width + place] as number,
      }));
      return {reference, positives: new Set(ownRows), candidates: all.filter(({score}) => score > -FAR / 2)};
    });
  } finally {
    for (const tensor of [values, indices, own, finite]) tensor.dispose();
  }
}

/** Draws items without replacement. */
function drawn<T>(items: readonly T[], count: number, seed: string): T[] {
  const [rest, uniform] = [[...items], uniformFrom(seed)];
  return Array.from({length: Math.min(count, items.length)}, () => {
    const place = Math.floor(uniform() * rest.length);
    return rest.splice(place, 1)[0] as T;
  });
}
