import {
  add,
  cast,
  where as chooseEach,
  clipByValue,
  div,
  fill,
  greater,
  less,
  log,
  min,
  mul,
  neg,
  pow,
  relu,
  type Scalar,
  scalar,
  sigmoid,
  sub,
  type Tensor1D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {
  checkFinitePositive,
  checkFloat32,
  checkFloat32Positive,
  checkOneOf,
  checkOpenUnitInterval,
  checkOptionNames,
  checkRatio,
  rangeError,
  typeError,
  warnWithoutEffect,
} from '../checks';
import type {Selector} from '../types';
import {descending, keptOf, ofValidRows, rankable, valueAt} from './ranking';
import {type Batch, selector} from './selector';
import {weighAll} from './weighing';

const NAME = 'selfPacedWeights';

const KINDS = ['hard', 'linear', 'logarithmic', 'logistic', 'polynomial'] as const;

/** Shape of the weights as a function of the loss. */
export type SelfPacedKind = (typeof KINDS)[number];

export interface SelfPacedOptions {
  /** Shape of the weights as a function of the loss. Default `'linear'`. */
  kind?: SelfPacedKind;
  /** λ, the loss from which rows have weight 0; a finite number > 0. */
  threshold?: number;
  /** Share of the valid rows whose losses are below λ, in (0, 1]; instead of a `threshold`. */
  ratio?: number;
  /** Parameter t of `'polynomial'`, a finite number > 1: 2 is linear. Default 3. */
  degree?: number;
}

/** A limit above every loss, at which all weights are 1. */
const ENDLESS = 1e30;

/**
 * Keeps the easy examples, and gives the easiest the largest weights.
 *
 *     hard         w = 1                                   if l < λ, else 0
 *     linear       w = 1 − l / λ                           if l < λ, else 0
 *     logarithmic  w = log(l + 1 − λ) / log(1 − λ)         if l < λ, else 0;  λ < 1
 *     polynomial   w = (1 − l / λ)^{1 / (degree − 1)}      if l < λ, else 0
 *     logistic     w = (1 + e^{−λ}) / (1 + e^{l − λ})      for every l
 *
 * Self-paced learning, which starts with easy rows and lets λ grow. With a `ratio`, λ is the
 * smallest loss above those of that share of the rows, or ∞ if there is none; at a ratio of 1 all
 * weights are thus 1. Let it grow by
 * `scheduled(({ratio}) => selfPacedWeights({ratio}), linear({…}))`.
 *
 * For losses ≥ 0; a smaller loss counts as 0. Rows with wrong labels stay hard, and are left out.
 *
 * @param options  either `threshold` or `ratio`; `kind` (default `'linear'`); `degree` (default 3).
 * @returns a selector, `float32[B]` → `{indices: int32[B], weights: float32[B]}`, hardest first.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`.
 *
 * @example
 * const {indices, weights} = selfPacedWeights({threshold: 2})(tf.tensor1d([0.5, 1, 3]));
 * indices.dataSync();   // Int32Array [1, 0, 2]
 * weights.dataSync();   // Float32Array [0.5, 0.75, 0]
 *
 * @see Kumar, Packer & Koller, Self-paced learning, NeurIPS 2010; Jiang et al., Self-paced
 *   curriculum learning, AAAI 2015
 */
export function selfPacedWeights(options: SelfPacedOptions): Selector {
  checkOptionNames(NAME, options, ['kind', 'threshold', 'ratio', 'degree']);
  const {kind = 'linear', threshold, ratio, degree = 3} = options ?? {};
  checkOneOf(NAME, 'kind', kind, KINDS);
  if ((threshold === undefined) === (ratio === undefined)) {
    throw typeError(NAME, 'options', 'have either threshold or ratio', options, 'Pass {threshold: 1} or {ratio: 0.5}.');
  }
  if (ratio !== undefined) checkRatio(NAME, 'ratio', ratio);
  if (ratio !== undefined && kind === 'logarithmic') {
    const remedy = 'Pass a threshold in (0, 1) for logarithmic.';
    throw rangeError(NAME, 'kind', 'be hard, linear, logistic or polynomial with a ratio', kind, remedy);
  }
  if (threshold !== undefined) {
    checkFinitePositive(NAME, 'threshold', threshold);
    if (kind === 'logarithmic') checkOpenUnitInterval(NAME, 'threshold', threshold);
    checkFloat32Positive(NAME, 'threshold', threshold);
  }
  if (!(Number.isFinite(degree) && degree > 1)) throw rangeError(NAME, 'degree', 'be a finite number > 1', degree);
  checkFloat32(NAME, 'degree', degree);
  if (options.degree != null && kind !== 'polynomial') warnWithoutEffect(NAME, 'degree', `with kind '${kind}'`);
  return selector(NAME, (batch) => {
    const losses = relu(batch.losses);
    if (kind === 'logarithmic') return weighAll(batch, logarithmic(losses, threshold as number));
    const limit = ratio === undefined ? scalar(threshold as number) : limitOf(losses, batch, ratio);
    return weighAll(batch, weightsOf(kind, losses, limit, degree));
  });
}

/** Computes the smallest loss above those of the easiest share of the rows, `float32[]`. */
function limitOf(losses: Tensor1D, {rows, context: {valid}}: Batch, ratio: number): Scalar {
  const rising = neg(descending(rankable(neg(losses), rows)).values) as Tensor1D;
  const last = ofValidRows(losses.size, valid, (count) => Math.max(keptOf({ratio}, count), 1) - 1);
  const largest = valueAt(rising, cast(last, 'int32'));
  const isOver = less(largest, losses);
  const beyond = fill(losses.shape, ENDLESS);
  return min(chooseEach(isOver, chooseEach(rows, losses, beyond), beyond));
}

function weightsOf(
  kind: Exclude<SelfPacedKind, 'logarithmic'>,
  losses: Tensor1D,
  limit: Scalar,
  degree: number,
): Tensor1D {
  if (kind === 'logistic') return div(sigmoid(sub(limit, losses)), sigmoid(limit));
  const isUnder = cast(greater(limit, losses), 'float32') as Tensor1D;
  if (kind === 'hard') return isUnder;
  const share = clipByValue(sub(1, div(losses, limit)), 0, 1) as Tensor1D;
  if (kind === 'linear') return share;
  return pow(share, 1 / (degree - 1));
}

/**
 * Computes log(l + 1 − λ) / log(1 − λ) for l < λ, else 0.
 *
 * In float32, 1 − λ is 1 or 0 for λ near 0 or 1, so λ and 1 − λ keep their digits on the host.
 */
function logarithmic(losses: Tensor1D, limit: number): Tensor1D {
  const high = Math.fround(limit);
  const below = sub<Tensor1D>(sub(losses, high), limit - high);
  const left = add<Tensor1D>(losses, 1 - limit);
  const isUnder = less(below, 0);
  const logs = chooseEach(greater(left, 0.5), logOfOnePlus(below), log(left));
  return chooseEach(isUnder, div(logs, Math.log1p(-limit)), zerosLike(losses)) as Tensor1D;
}

/** Computes log(1 + x) for −½ ≤ x ≤ 0 by its series; log1p of WebGL rounds 1 + x. */
function logOfOnePlus(x: Tensor1D): Tensor1D {
  const s = div<Tensor1D>(x, add(x, 2));
  const square = mul<Tensor1D>(s, s);
  const sum = [13, 11, 9, 7, 5, 3].reduce<Tensor1D>((rest, n) => add(mul(rest, square), 1 / n), zerosLike(s));
  return mul(mul(s, 2), add(mul(sum, square), 1));
}
