import {
  abs,
  add,
  cast,
  clipByValue,
  concat,
  isFinite as isFiniteTensor,
  log,
  logSumExp,
  matMul,
  maximum,
  mul,
  onesLike,
  range,
  reshape,
  slice,
  step,
  sub,
  sum,
  Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
  transpose,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {
  checkBoolean,
  checkCount,
  checkFinitePositive,
  checkFunction,
  checkNotNegative,
  checkOneOf,
  checkOptionNames,
  checkValues,
  typeError,
} from '../checks';
import {offTape} from '../engine';
import {largestFirst} from '../rows';
import {FAR, isLabel} from './pairBatch';
import {atColumns} from './pairMasks';
import {checkTowers, knownOnly, type Tower, type TowerSimilarity, towerOf, towerSpace} from './towers';

const NAME = 'inBatchSoftmax';

/** A second model that detects false negatives among the candidates. */
export interface Guide {
  /**
   * Computes the guide's embeddings from the targets, in the order of the outputs: `float32[B, E]`
   * of queries, then of documents.
   */
  embeddings: (ys: Tensor[]) => Tensor[];
  /** Similarity by which a negative must trail the query's own document; ≥ 0. Default 0. */
  margin?: number;
  /** Whether the margin is a difference of similarities or a share. Default `'absolute'`. */
  strategy?: 'absolute' | 'relative';
}

export interface InBatchSoftmaxOptions {
  /** Factor of similarities, the inverse temperature; a finite number > 0. Default 20. */
  scale?: number;
  /** Similarity of embeddings. Default `'cosine'`. */
  similarity?: TowerSimilarity;
  /**
   * Additional candidates. `queries` adds the scores `[B, B]` of each query with the other queries;
   * `documents` adds those of its own document with the other documents. Default: none.
   */
  contrast?: {queries?: boolean; documents?: boolean};
  /**
   * Computes the chance with which each document was drawn into the batch.
   *
   * From the targets to `float32[C]`, with `C` the number of documents of all outputs.
   */
  samplingProbability?: (ys: Tensor[]) => Tensor;
  /** Computes an id of each document, `int32[C]`, from the targets; equal ids are not negatives. */
  candidateIds?: (ys: Tensor[]) => Tensor;
  /** Excludes candidates that a second model takes for positives. */
  guide?: Guide;
  /** Number of hardest negatives to keep per query; an integer ≥ 1. Default: all. */
  hardNegatives?: number;
}

/** A loss over the outputs of two towers, for `jointLoss`. */
export interface TowerLoss {
  (ys: Tensor[], predictions: Tensor[]): Tensor1D;
  /** NaN embeddings give their row a NaN loss, and no other row has it as a candidate. */
  skipsNaN?: true;
}

const OPTIONS = [
  'scale',
  'similarity',
  'contrast',
  'samplingProbability',
  'candidateIds',
  'guide',
  'hardNegatives',
] as const;

/**
 * Builds a loss by which each query must find its document among all documents of the batch.
 *
 *     l_i = log Σ_j exp(z_ij) − z_ii,    z_ij = scale · sim(query_i, document_j)
 *
 * For two towers. The outputs are queries `float32[B, D]`, their documents, and any number of
 * further documents, `B` or a multiple of `B` each. These are negatives of all queries.
 *
 * Before the softmax the loss applies, in this order:
 *
 * - with `samplingProbability`, `z_ij −= log q_j`, with q clipped to [1e-6, 1];
 * - with `candidateIds`, it excludes documents with the id of the query's own;
 * - with `guide`, it excludes candidates whose similarity by the guide exceeds
 *   `sim(query_i, document_i) − margin`, or `· (1 − margin)`;
 * - with `hardNegatives`, it keeps only the largest of the rest.
 *
 * The query's own document always stays. The ids of their documents also exclude the candidates
 * that `contrast` adds.
 *
 * A query whose embedding, or whose document, is not finite has loss NaN. Such a document is not a
 * candidate of any query.
 *
 * @param options  `scale`, `similarity`, `contrast`, `samplingProbability`, `candidateIds`,
 *   `guide`, `hardNegatives`.
 * @returns a function of targets and outputs → `float32[B]`, for `jointLoss`.
 * @throws RangeError or TypeError for a wrong option (when it is built), or if outputs or results
 *   of the functions have other shapes (when it is called).
 *
 * @example
 * const loss = inBatchSoftmax({scale: 1});
 * const [queries, documents] = [tf.tensor2d([[1, 0], [0, 1]]), tf.tensor2d([[2, 0], [0, 3]])];
 * loss([], [queries, documents]).dataSync();   // Float32Array [0.313262, 0.313262]
 *
 * @see Henderson et al., Efficient Natural Language Response Suggestion, 2017, §4.4
 *   (arXiv:1705.00652); Yi et al., Sampling-Bias-Corrected Neural Modeling, RecSys 2019, §3;
 *   Solatorio, GISTEmbed, 2024 (arXiv:2402.16829)
 */
export function inBatchSoftmax(options: InBatchSoftmaxOptions = {}): TowerLoss {
  checkOptionNames(NAME, options, OPTIONS);
  const {scale = 20, similarity = 'cosine', hardNegatives, contrast = {}, guide} = options;
  checkFinitePositive(NAME, 'scale', scale);
  const space = towerSpace(NAME, similarity);
  checkOptionNames(NAME, contrast, ['queries', 'documents'], 'contrast');
  for (const side of ['queries', 'documents'] as const) checkBoolean(NAME, `contrast.${side}`, contrast[side] ?? false);
  if (hardNegatives !== undefined) checkCount(NAME, 'hardNegatives', hardNegatives);
  for (const from of ['samplingProbability', 'candidateIds'] as const) {
    if (options[from] !== undefined) checkFunction(NAME, from, 'be a function of the targets', options[from]);
  }
  if (guide !== undefined) checkGuide(guide);
  const loss: TowerLoss = (ys, predictions) =>
    tidy(() => {
      checkTowers(NAME, 'predictions', predictions);
      const [queries, ...documents] = predictions as Tensor2D[];
      const [asked, found] = [towerOf(space, [queries as Tensor2D]), towerOf(space, documents)];
      const scores = mul<Tensor2D>(blocks(asked.rows, found.rows, contrast), scale);
      const target = offTape(() => ownColumns(scores));
      const logits = options.samplingProbability
        ? sub<Tensor2D>(
            scores,
            offTape(() => corrections(options, ys, scores.shape[1], found)),
          )
        : scores;
      const away = offTape(() => {
        const banned = bannedOf(options, ys, {asked, found, target});
        return mul(hardNegatives === undefined ? banned : allButHardest(logits, banned, target, hardNegatives), -FAR);
      });
      const losses = sub<Tensor1D>(logSumExp(add(logits, away), 1), sum(mul(logits, target), 1));
      const batchSize = asked.rows.shape[0];
      const known = offTape(() => mul(asked.finite, slice(found.finite, [0, 0], [batchSize, 1])));
      return knownOnly(losses, reshape(known, [batchSize]));
    });
  return Object.assign(loss, {skipsNaN: true} as const);
}

function checkGuide(guide: Guide): void {
  checkOptionNames(NAME, guide, ['embeddings', 'margin', 'strategy'], 'guide');
  checkFunction(NAME, 'guide.embeddings', 'be a function of the targets', guide.embeddings);
  checkNotNegative(NAME, 'guide.margin', guide.margin ?? 0);
  checkOneOf(NAME, 'guide.strategy', guide.strategy ?? 'absolute', ['absolute', 'relative']);
}

/** Scores queries with documents, and if set, queries with queries and documents with documents. */
function blocks(queries: Tensor2D, documents: Tensor2D, contrast: InBatchSoftmaxOptions['contrast'] = {}): Tensor2D {
  const own = slice(documents, [0, 0], queries.shape);
  const all = [
    matMul<Tensor2D>(queries, transpose(documents)),
    ...(contrast.queries ? [matMul<Tensor2D>(queries, transpose(queries))] : []),
    ...(contrast.documents ? [matMul<Tensor2D>(own, transpose(own))] : []),
  ];
  return all.length === 1 ? (all[0] as Tensor2D) : concat(all, 1);
}

/** Masks the column of the query's own document, `float32[B, …]`. */
function ownColumns({shape: [rows, columns]}: Tensor2D): Tensor2D {
  const apart = sub(reshape(range(0, rows), [rows, 1]), reshape(range(0, columns), [1, columns]));
  return sub(1, step(abs(apart)));
}

/** Computes the log-frequency of each document; 0 for candidates that are not documents. */
function corrections(
  {samplingProbability}: InBatchSoftmaxOptions,
  ys: Tensor[],
  columns: number,
  found: Tower,
): Tensor2D {
  const candidates = found.rows.shape[0];
  const given = checkCandidates('samplingProbability', samplingProbability?.(ys), candidates);
  const remedy = 'Return the chance with which each document was drawn into the batch.';
  if (given.dtype !== 'float32') throw typeError(NAME, 'samplingProbability', 'return float32', given, remedy);
  checkValues(NAME, 'samplingProbability', 'return numbers >= 0', given, (share) => share >= 0, remedy);
  // In production an invalid number counts as 1: no correction.
  const known = where(isFiniteTensor(given), given, onesLike(given));
  const logarithms = reshape(log(clipByValue(known, 1e-6, 1)), [candidates]);
  const rest = columns - candidates;
  const all = rest === 0 ? logarithms : concat([logarithms, zerosLike(range(0, rest))] as Tensor1D[]);
  return reshape(all, [1, columns]);
}

function checkCandidates(argument: string, given: Tensor | undefined, candidates: number): Tensor {
  if (given instanceof Tensor && given.size === candidates && ['int32', 'float32'].includes(given.dtype)) return given;
  throw typeError(NAME, argument, `return a tensor of shape [${candidates}], one value for each document`, given);
}

/**
 * Checks ids and reshapes them to `[1, C]`; int32 stays, because float32 is not exact for all ids.
 */
function checkIds(given: Tensor | undefined, candidates: number): Tensor {
  const ids = checkCandidates('candidateIds', given, candidates);
  const remedy = 'Number the documents, and return int32.';
  if (ids.dtype !== 'int32') {
    checkValues(NAME, 'candidateIds', 'return integers between -2^24 and 2^24', ids, isLabel, remedy);
  }
  return reshape(ids, [1, candidates]);
}

interface Towers {
  asked: Tower;
  found: Tower;
  target: Tensor2D;
}

/** Masks the candidates to exclude, `float32[B, …]`; never the own document of the query. */
function bannedOf(options: InBatchSoftmaxOptions, ys: Tensor[], {asked, found, target}: Towers): Tensor2D {
  const {contrast = {}, candidateIds, guide} = options;
  const batchSize = asked.rows.shape[0];
  const missing = (finite: Tensor2D) => reshape(sub(1, finite), [1, -1]);
  const own = slice(found.finite, [0, 0], [batchSize, 1]);
  const isSelf = slice(target, [0, 0], [batchSize, batchSize]);
  const ids = candidateIds && checkIds(candidateIds(ys), found.rows.shape[0]);
  const isSameId = ids && sameIds(ids, batchSize);
  const isSameOwn = isSameId ? maximum(isSelf, slice(isSameId, [0, 0], isSelf.shape)) : isSelf;
  const parts = [
    maximum(missing(found.finite), isSameId ?? zerosLike(slice(target, [0, 0], [batchSize, found.rows.shape[0]]))),
    ...(contrast.queries ? [maximum(missing(asked.finite), isSameOwn)] : []),
    ...(contrast.documents ? [maximum(missing(own), isSameOwn)] : []),
  ];
  const banned = parts.length === 1 ? (parts[0] as Tensor2D) : (concat(parts, 1) as Tensor2D);
  const all = guide ? maximum(banned, byGuide(guide, ys, contrast, {asked, found, target})) : banned;
  return mul(all, sub(1, target));
}

/** Masks documents with the id of the query's own, `float32[B, C]`; a NaN id matches no other. */
function sameIds(ids: Tensor, batchSize: number): Tensor2D {
  const own = reshape(slice(ids, [0, 0], [1, batchSize]), [batchSize, 1]);
  const apart = cast(sub(own, ids), 'float32');
  const known = where(isFiniteTensor(apart), apart, onesLike(apart));
  return sub(1, step(abs(mul(known, 1))));
}

/** Masks the candidates that the guide takes for positives. */
function byGuide(
  guide: Guide,
  ys: Tensor[],
  contrast: InBatchSoftmaxOptions['contrast'],
  {asked, found, target}: Towers,
) {
  const given = guide.embeddings(ys);
  checkTowers(NAME, 'guide.embeddings', given);
  const space = towerSpace(NAME, 'cosine');
  const [queries, ...documents] = given as Tensor2D[];
  const [ofQueries, ofDocuments] = [towerOf(space, [queries as Tensor2D]), towerOf(space, documents)];
  const [wanted, got] = [
    asked.rows.shape[0] + found.rows.shape[0],
    ofQueries.rows.shape[0] + ofDocuments.rows.shape[0],
  ];
  if (wanted !== got) {
    throw typeError(NAME, 'guide.embeddings', 'return one row for each row of the outputs', given);
  }
  const scores = blocks(ofQueries.rows, ofDocuments.rows, contrast);
  const own = sum(mul(scores, target), 1, true);
  const {margin = 0, strategy = 'absolute'} = guide;
  const limit = strategy === 'absolute' ? sub(own, margin) : mul(own, 1 - margin);
  return step(sub(scores, limit)) as Tensor2D;
}

/** Masks all candidates except the query's own document and the hardest others. */
function allButHardest(logits: Tensor2D, banned: Tensor2D, target: Tensor2D, count: number): Tensor2D {
  const columns = logits.shape[1];
  if (count >= columns - 1) return banned;
  const others: Tensor2D = sub(logits, mul(add(banned, target), FAR));
  const hardest = largestFirst(others, count).indices;
  const kept = atColumns(hardest, add(zerosLike(mul(hardest, 1)), 1) as Tensor2D, columns);
  return mul(maximum(banned, sub(1, kept)), sub(1, target));
}
