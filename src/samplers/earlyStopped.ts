import {checkCount, checkFinitePositive, checkOptionNames, rangeError} from '../checks';
import type {EpochRows, Sampler} from '../types';
import {rowsMarked, spareHardest, withRescore} from './marks';
import {type DataSize, type EndingOptions, sampler} from './sampler';

const NAME = 'earlyStopped';

/** Longest window, so that the number of known differences fits a byte. */
const LONGEST_WINDOW = 100;

export interface EarlyStoppedOptions extends EndingOptions {
  /** Mean loss curvature below which a row counts as mastered; a number > 0. Default 0.001. */
  threshold?: number;
  /** Number of epochs over which the curvature is averaged; an integer from 1 to 100. Default 3. */
  window?: number;
  /** Interval in epochs between forward passes over mastered rows; an integer ≥ 1. Default 1. */
  rescoreEvery?: number;
}

/** The recent losses of each row. */
export interface LossHistory extends DataSize {
  /** `float32[N, 2]`, the last loss and the previous one; NaN = unknown. */
  losses: Float32Array;
  /** `float32[N, window − 1]`, the last second differences, newest first. */
  differences: Float32Array;
  /** `uint8[N]`, the number of differences known so far, at most `window + 1`. */
  known: Uint8Array;
  /** `uint8[N]`, 1 = mastered. */
  mastered: Uint8Array;
  /** `uint8[N]`, 1 = the last loss is from inference mode. */
  rescored: Uint8Array;
}

/**
 * Stops training on rows whose loss curve is straight, and resumes when it bends again.
 *
 *     bend_t = |l_t − 2 l_(t−1) + l_(t−2)|,   one loss an epoch
 *     mastered = window + 1 bends are known  and  mean(bend_(t−window+1) … bend_t) < threshold
 *
 * Instance-dependent early stopping (IES). Mastered rows run forward at the end of an epoch, in
 * inference mode, so all rows run forward and fewer run backward; `rescoreEvery: m` saves most of
 * these passes too. A flat loss need not be small: a stuck row, such as one with a wrong label, is
 * mastered too.
 *
 * No bend is measured across a switch between training mode and inference mode: a row keeps its
 * status until it has three losses of one kind. (The authors' code mixes both kinds. It also drops
 * the last mastered rows for good once no row is mastered.)
 *
 * @param options  see {@link EarlyStoppedOptions}.
 * @returns a sampler for `fitOhem({sampler})`. Its state has 19 bytes per row with the default
 *   window, and 4 more for each further epoch.
 * @throws RangeError or TypeError for a wrong option.
 *
 * @example
 * const sampler = earlyStopped({window: 1});
 * let state = sampler.init(2);
 * const chosen = {rows: Int32Array.of(0, 1)};
 * [[2.3, 2.3], [0.1, 1.7], [0.1, 1.2], [0.1, 0.8]].forEach((losses, epoch) => {
 *   state = sampler.next(state, {epoch, chosen, scores: {losses: Float32Array.from(losses)}});
 * });
 * const scores = {losses: Float32Array.of(0.1, 0.8)};
 * sampler.choose(state, {epoch: 4, epochs: 9, seed: 0, scores}).rows;   // Int32Array [1]
 *
 * @see Yuan et al., Instance-dependent Early Stopping, ICLR 2025, the mastery criterion
 *   (arXiv:2502.07547)
 */
export function earlyStopped(options: EarlyStoppedOptions = {}): Sampler<LossHistory> {
  checkOptionNames(NAME, options, ['threshold', 'window', 'rescoreEvery', 'delta']);
  const {threshold = 1e-3, window = 3, rescoreEvery = 1, delta} = options;
  checkFinitePositive(NAME, 'threshold', threshold);
  if (!Number.isInteger(window) || window < 1 || window > LONGEST_WINDOW) {
    throw rangeError(NAME, 'window', `be an integer from 1 to ${LONGEST_WINDOW}`, window);
  }
  checkCount(NAME, 'rescoreEvery', rescoreEvery);
  return sampler<LossHistory>(NAME, {
    delta,
    options: {threshold, window, rescoreEvery},
    init: (size) => emptyHistory(size, window),
    choose: (state, {epoch, scores: {losses}}) => withoutMastered(state, losses, (epoch + 1) % rescoreEvery === 0),
    next(state, {chosen, scores: {losses}}) {
      const after = copyOf(state);
      recordLosses(after, {rows: chosen.rows, losses, mode: 0}, window, threshold);
      if (chosen.rescore) recordLosses(after, {rows: chosen.rescore, losses, mode: 1}, window, threshold);
      return after;
    },
  });
}

function emptyHistory(size: number, window: number): LossHistory {
  return {
    size,
    losses: new Float32Array(2 * size).fill(Number.NaN),
    differences: new Float32Array((window - 1) * size),
    known: new Uint8Array(size),
    mastered: new Uint8Array(size),
    rescored: new Uint8Array(size),
  };
}

function copyOf({size, losses, differences, known, mastered, rescored}: LossHistory): LossHistory {
  return {
    size,
    losses: losses.slice(),
    differences: differences.slice(),
    known: known.slice(),
    mastered: mastered.slice(),
    rescored: rescored.slice(),
  };
}

function withoutMastered({size, mastered}: LossHistory, losses: Float32Array, isRescored: boolean): EpochRows {
  const isLeftOut = new Uint8Array(size);
  for (let row = 0; row < size; row++) {
    isLeftOut[row] = mastered[row] === 1 && Number.isFinite(losses[row]) ? 1 : 0;
  }
  spareHardest(isLeftOut, losses);
  return isRescored ? withRescore(isLeftOut) : {rows: rowsMarked(isLeftOut, 0)};
}

/** Records the losses of an epoch for the rows that ran in one of the two modes. */
function recordLosses(
  state: LossHistory,
  {rows, losses: newest, mode}: {rows: Int32Array; losses: Float32Array; mode: 0 | 1},
  window: number,
  threshold: number,
): void {
  const {losses, known, mastered, rescored} = state;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const loss = newest[row] as number;
    const last = rescored[row] === mode ? (losses[2 * row] as number) : Number.NaN;
    const bend = Math.abs(loss - 2 * last + (losses[2 * row + 1] as number));
    rescored[row] = mode;
    losses[2 * row] = loss;
    losses[2 * row + 1] = last;
    if (!Number.isFinite(loss)) {
      losses[2 * row] = losses[2 * row + 1] = Number.NaN;
      known[row] = mastered[row] = 0;
    } else if (!Number.isNaN(bend)) {
      const mean = meanBend(state.differences, row, bend, window);
      known[row] = Math.min((known[row] as number) + 1, window + 1);
      mastered[row] = known[row] === window + 1 && mean < threshold ? 1 : 0;
    }
  }
}

/** Replaces the oldest bend of a row by the newest, and averages them. */
function meanBend(differences: Float32Array, row: number, newest: number, window: number): number {
  const first = row * (window - 1);
  let [sum, newer] = [newest, newest];
  for (let place = first; place < first + window - 1; place++) {
    const older = differences[place] as number;
    sum += older;
    differences[place] = newer;
    newer = older;
  }
  return sum / window;
}
