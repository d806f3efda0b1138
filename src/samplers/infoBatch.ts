import {checkOpenUnitInterval, checkOptionNames, rangeError} from '../checks';
import {uniformFrom} from '../random';
import type {EpochRows, Sampler} from '../types';
import {wholePart} from '../wholePart';
import {countMarked} from './marks';
import {allRows, type DataSize, type EndingOptions, type Occasion, sampler} from './sampler';
import {countFinite, markSmallest} from './smallest';

const NAME = 'infoBatch';

export interface InfoBatchOptions extends EndingOptions {
  /** Share of the easy rows to leave out, in (0, 1). Default 0.5. */
  ratio?: number;
  /**
   * Rule for easy rows: a loss below the mean, `'mean'`, or among the share `quantile` of the
   * smallest losses, in (0, 1). Default `'mean'`.
   */
  threshold?: 'mean' | {quantile: number};
  /**
   * Share of the epochs after which training uses all rows, with weight 1; in (0, 1]. Default
   * 0.875.
   */
  delta?: number;
}

/**
 * Leaves out a random share of the easy rows, and raises the weights of the remaining ones.
 *
 *     easy = {i : l_i < mean(l)},   kept of them = max(1, floor((1 − ratio) · |easy|)), at random
 *     weight = |easy| / kept  for these,   1  for all others
 *
 * InfoBatch. The expected gradient of an epoch equals that of all rows, at about `1 − ratio / 2` of
 * the cost while half of the rows are easy.
 *
 * `ratio` is a share of the easy rows, not of the data: the share left out is `ratio · |easy| / N`.
 * To leave out the share `d`, pass `{ratio: d / q, threshold: {quantile: q}}`. The mean covers the
 * finite losses. The draw depends on the seed of the run and the epoch.
 *
 * @param options  see {@link InfoBatchOptions}.
 * @returns a sampler for `fitOhem({sampler})`. Its state is the number of rows.
 * @throws RangeError or TypeError for a wrong option.
 *
 * @example
 * const sampler = infoBatch();
 * const scores = {losses: Float32Array.of(0.1, 0.2, 0.3, 0.4, 2, 3)};   // mean 1
 * const at = {epoch: 1, epochs: 10, seed: 0, scores};
 * const {rows, weights} = sampler.choose(sampler.init(6), at);   // two of the rows 0 to 3
 * rows.slice(2);   // Int32Array [4, 5]
 * weights;   // Float32Array [2, 2, 1, 1]
 *
 * @see Qin et al., InfoBatch, ICLR 2024, the sections on pruning, rescaling and annealing
 *   (arXiv:2303.04947)
 */
export function infoBatch(options: InfoBatchOptions = {}): Sampler<DataSize> {
  checkOptionNames(NAME, options, ['ratio', 'delta', 'threshold']);
  const {ratio = 0.5, delta = 0.875, threshold = 'mean'} = options;
  checkOpenUnitInterval(NAME, 'ratio', ratio);
  checkThreshold(threshold);
  return sampler(NAME, {
    delta,
    options: {ratio, threshold},
    init: (size) => ({size}),
    choose: (_, at) => thinned(markEasy(at.scores.losses, threshold), ratio, at),
  });
}

/** Draws the easy rows to keep, and lists them with all other rows. */
function thinned(isEasy: Uint8Array, ratio: number, {seed, epoch}: Occasion): EpochRows {
  const easy = countMarked(isEasy, 1);
  if (easy === 0) return {rows: allRows(isEasy.length)};
  const kept = Math.max(1, wholePart((1 - ratio) * easy));
  const uniform = uniformFrom(`${NAME} ${seed}/${epoch}`);
  const rows = new Int32Array(isEasy.length - easy + kept);
  const weights = new Float32Array(rows.length);
  const weightOf = [1, easy / kept];
  let [needed, left, place] = [kept, easy, 0];
  for (let row = 0; place < rows.length; row++) {
    rows[place] = row;
    weights[place] = weightOf[isEasy[row] as number] as number;
    if (isEasy[row] === 0) {
      place++;
      continue;
    }
    // Uniform without replacement: the chance is the number still needed over the number left.
    const isDrawn = uniform() * left < needed ? 1 : 0;
    needed -= isDrawn;
    place += isDrawn;
    left--;
  }
  return {rows, weights};
}

function markEasy(losses: Float32Array, threshold: 'mean' | {quantile: number}): Uint8Array {
  if (threshold !== 'mean') return markSmallest(losses, wholePart(threshold.quantile * countFinite(losses)));
  const isEasy = new Uint8Array(losses.length);
  const mean = finiteMean(losses);
  for (let row = 0; row < losses.length; row++) {
    const loss = losses[row] as number;
    isEasy[row] = loss < mean && loss > Number.NEGATIVE_INFINITY ? 1 : 0;
  }
  return isEasy;
}

/** The mean in float64, where equal float32 numbers have exactly their own value as the mean. */
function finiteMean(losses: Float32Array): number {
  let sum = 0;
  for (let row = 0; row < losses.length; row++) sum += Number.isFinite(losses[row]) ? (losses[row] as number) : 0;
  return sum / countFinite(losses);
}

function checkThreshold(threshold: unknown): void {
  if (threshold === 'mean') return;
  if (threshold === null || typeof threshold !== 'object') {
    throw rangeError(NAME, 'threshold', "be 'mean' or {quantile}", threshold);
  }
  checkOptionNames(NAME, threshold, ['quantile']);
  checkOpenUnitInterval(NAME, 'threshold.quantile', (threshold as {quantile: number}).quantile);
}
