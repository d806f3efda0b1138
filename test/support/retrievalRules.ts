/** @file The losses of two towers and the mining of negatives, written down plainly. */
import type {MineHardNegativesOptions} from 'ohem-tfjs/pairs';
import {logSum} from './pairRules';

type Rows = readonly (readonly number[])[];

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);

/** The cosine; 0 of a zero row. */
const cosine = (a: readonly number[], b: readonly number[]) =>
  dot(a, b) / Math.max(Math.hypot(...a), 1e-12) / Math.max(Math.hypot(...b), 1e-12);

/** What `inBatchSoftmax` is given: the first documents are those of the queries. */
export interface Towers {
  queries: Rows;
  documents: Rows;
  similarity: 'cosine' | 'dot';
  scale: number;
  contrast?: {queries?: boolean; documents?: boolean};
  /** The chance of each document. */
  chances?: readonly number[];
  ids?: readonly number[];
  guide?: {queries: Rows; documents: Rows; margin: number; strategy: 'absolute' | 'relative'};
  hardNegatives?: number;
}

interface Candidate {
  score: number;
  id: number | undefined;
  /** Position among the documents or queries of the batch. */
  row: number;
  guided: number;
  isDocument: boolean;
}

/** The candidates of a query, its own document first. */
function candidatesOf({queries, documents, similarity, scale, contrast, chances, ids, guide}: Towers, i: number) {
  const near = similarity === 'cosine' ? cosine : dot;
  const listed = (from: readonly number[], others: Rows, guides: [readonly number[], Rows] | undefined) =>
    others.map((other, row) => ({
      score: scale * near(from, other),
      id: ids?.[row],
      row,
      guided: guides ? cosine(guides[0], guides[1][row] as number[]) : 0,
    }));
  const [query, own] = [queries[i], documents[i]] as [number[], number[]];
  const guides = (side: 'queries' | 'documents', to: Rows | undefined) =>
    guide && ([guide[side][i], to] as [number[], Rows]);
  const owned = documents.slice(0, queries.length);
  const candidates: Candidate[] = [
    ...listed(query, documents, guides('queries', guide?.documents)).map((one) => ({
      ...one,
      score: one.score - (chances ? Math.log(Math.min(Math.max(chances[one.row] as number, 1e-6), 1)) : 0),
      isDocument: true,
    })),
    ...(contrast?.queries ? listed(query, queries, guides('queries', guide?.queries)) : []).map((one) => ({
      ...one,
      isDocument: false,
    })),
    ...(contrast?.documents ? listed(own, owned, guides('documents', guide?.documents)) : []).map((one) => ({
      ...one,
      isDocument: false,
    })),
  ];
  const target = candidates[i] as Candidate;
  return {target, others: candidates.filter((one) => one !== target && (one.isDocument || one.row !== i))};
}

/** The losses of `inBatchSoftmax`; undefined if rounding may decide whom the guide excludes. */
export function softmaxLosses(towers: Towers): number[] | undefined {
  const {guide, hardNegatives = Number.POSITIVE_INFINITY} = towers;
  const losses = towers.queries.map((_, i) => {
    const {target, others} = candidatesOf(towers, i);
    const share = guide?.margin ?? 0;
    const limit = guide?.strategy === 'relative' ? target.guided * (1 - share) : target.guided - share;
    if (guide && others.some(({guided}) => Math.abs(guided - limit) < 1e-4)) return Number.NaN;
    const kept = others
      .filter(({id, guided}) => (id === undefined || id !== target.id) && !(guide && guided > limit))
      .map(({score}) => score)
      .sort((one, other) => other - one)
      .slice(0, hardNegatives);
    return logSum([target.score, ...kept]) - target.score;
  });
  return losses.some(Number.isNaN) ? undefined : losses;
}

/** The losses of `hardContrastive`. */
export function hardContrastiveLosses(
  views: readonly [Rows, Rows],
  {temperature, beta, tauPlus}: {temperature: number; beta: number; tauPlus: number},
): number[] {
  const all = views.flat();
  const size = views[0].length;
  const of = all.map((view, i) => {
    const e = all.map((other) => Math.exp(cosine(view, other) / temperature));
    const positive = e[(i + size) % all.length] as number;
    const negatives = e.filter((_, j) => j % size !== i % size);
    if (negatives.length === 0) return 0;
    const weights = negatives.map((value) => value ** beta);
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / negatives.length;
    const reweighted = negatives.reduce((sum, value, j) => sum + value * (weights[j] as number), 0) / mean;
    const unbiased = (reweighted - tauPlus * negatives.length * positive) / (1 - tauPlus);
    const others = Math.max(unbiased, negatives.length * Math.exp(-1 / temperature));
    return Math.log((positive + others) / positive);
  });
  return views[0].map((_, i) => ((of[i] as number) + (of[i + size] as number)) / 2);
}

const RULES = ['absoluteMargin', 'relativeMargin', 'maxScore', 'minScore', 'rangeMin'] as const;

/** The rules of `mineHardNegatives`, and what each of them decides. */
export type Rules = Pick<MineHardNegativesOptions, (typeof RULES)[number] | 'count' | 'rangeMax'>;

/** The rule that drops a score, the first of several. */
function dropping(score: number, reference: number, {absoluteMargin, relativeMargin, maxScore, minScore}: Rules) {
  if (absoluteMargin !== undefined && score > reference - absoluteMargin) return 'absoluteMargin';
  if (relativeMargin !== undefined && score > reference - relativeMargin * Math.abs(reference)) return 'relativeMargin';
  if (maxScore !== undefined && score > maxScore) return 'maxScore';
  return minScore !== undefined && score < minScore ? 'minScore' : undefined;
}

/** The result of `mineHardNegatives` for dot products. */
export function minedByRules(queries: Rows, documents: Rows, positives: readonly number[][], rules: Rules) {
  const {count = 3, rangeMin = 0} = rules;
  const own = positives.map((rows) => new Set(rows));
  const most = Math.max(...own.map(({size}) => size));
  const isFiltered = [rules.absoluteMargin, rules.relativeMargin, rules.maxScore].some((rule) => rule !== undefined);
  const rangeMax = rules.rangeMax ?? rangeMin + count * (isFiltered ? 10 : 1) + most;
  const dropped = {absoluteMargin: 0, relativeMargin: 0, maxScore: 0, minScore: 0, rangeMin: 0};
  const negatives = queries.map((query, q) => {
    const scores = documents.map((document) => dot(query, document));
    const score = (row: number) => scores[row] as number;
    const reference = Math.min(...[...(own[q] as Set<number>)].map(score));
    const order = documents.map((_, row) => row).sort((one, other) => score(other) - score(one) || one - other);
    const candidates = order.filter((row) => !own[q]?.has(row)).slice(0, rangeMax);
    const rest = candidates.filter((row) => {
      const rule = dropping(score(row), reference, rules);
      if (rule) dropped[rule]++;
      return !rule;
    });
    dropped.rangeMin += Math.min(rangeMin, rest.length);
    return rest.slice(rangeMin, rangeMin + count);
  });
  return {negatives, dropped, short: negatives.filter(({length}) => length < count).length};
}
