import {Tensor} from '@tensorflow/tfjs-core';
import {checkCount, checkOptionNames, rangeError, typeError} from '../checks';

const NAME = 'lossHistogram';

export interface LossHistogramOptions {
  /** Number of bins; an integer ≥ 1. Default 25. */
  bins?: number;
  /** Lower edge of the first bin. Default 0, or the smallest finite loss if that is negative. */
  min?: number;
  /** Upper edge of the last bin. Default the largest finite loss. */
  max?: number;
}

/** A histogram of losses as plain JSON. All counts add up to the number of losses. */
export interface LossHistogram {
  /** Count of each bin: `edges[i] ≤ loss < edges[i + 1]`; the last bin includes `max`. */
  counts: number[];
  /** The `bins + 1` edges from `min` to `max`. */
  edges: number[];
  /** Number of losses below `min`. */
  below: number;
  /** Number of losses above `max`. */
  above: number;
  /** Number of losses that are NaN or ±∞. */
  nonFinite: number;
}

/**
 * Counts losses in bins of equal width.
 *
 *     counts_i = #{l : edges_i ≤ l < edges_{i+1}},    edges_i = min + (max − min) · i / bins
 *
 * Compare the histograms of a batch and of its selected rows to check `k`: if it is too low, the
 * selected losses are not typical of the batch. To compare histograms pass `min` and `max`;
 * otherwise each has the range of its own losses. Losses outside the range are counted separately
 * instead of clamped, so they do not pile up in the last bin. Losses that are not finite are
 * separate too.
 *
 * @param losses  numbers or a typed array; or a tensor of any shape, which is read once and stays
 *   the caller's.
 * @param options  `bins` (default 25), `min` (default 0, or the smallest finite loss if that is
 *   negative), `max` (default the largest finite loss).
 * @returns `{counts, edges, below, above, nonFinite}`; a promise of it for a tensor. All counts add
 *   up to the number of losses.
 * @throws RangeError if `bins` is not an integer ≥ 1, `min` or `max` not a finite number, or `min`
 *   not below `max`; TypeError if `losses` is none of these.
 *
 * @example
 * const {counts, above, nonFinite} = lossHistogram([0.1, 0.2, 0.9, 3, NaN], {bins: 2, min: 0, max: 1});
 * counts;      // [2, 1]
 * above;       // 1
 * nonFinite;   // 1
 */
export function lossHistogram(losses: ArrayLike<number>, options?: LossHistogramOptions): LossHistogram;
export function lossHistogram(losses: Tensor, options?: LossHistogramOptions): Promise<LossHistogram>;
export function lossHistogram(
  losses: ArrayLike<number> | Tensor,
  options: LossHistogramOptions = {},
): LossHistogram | Promise<LossHistogram> {
  checkOptionNames(NAME, options, ['bins', 'min', 'max']);
  const {bins = 25, min, max} = options;
  checkCount(NAME, 'bins', bins);
  checkBorder('min', min);
  checkBorder('max', max);
  if (losses instanceof Tensor) return losses.data().then((values) => histogramOf(values, bins, min, max));
  if (typeof losses?.length !== 'number' || typeof losses === 'string') {
    throw typeError(NAME, 'losses', 'be numbers or a tensor', losses);
  }
  return histogramOf(losses, bins, min, max);
}

function checkBorder(argument: string, value: number | undefined): void {
  if (value !== undefined && !Number.isFinite(value)) throw rangeError(NAME, argument, 'be a finite number', value);
}

function histogramOf(losses: ArrayLike<number>, bins: number, givenMin?: number, givenMax?: number): LossHistogram {
  const [smallest, largest] = extent(losses);
  const min = givenMin ?? Math.min(0, smallest);
  const max = givenMax ?? (largest > min ? largest : min + Math.max(1, Math.abs(min)));
  if (!(min < max)) throw rangeError(NAME, 'min', `be under max, ${max}`, min);
  const edges = Array.from({length: bins + 1}, (_, i) => min * (1 - i / bins) + max * (i / bins));
  const counts = new Array<number>(bins).fill(0);
  const apart = {below: 0, above: 0, nonFinite: 0};
  for (let i = 0; i < losses.length; i++) {
    const loss = losses[i] as number;
    if (!Number.isFinite(loss)) apart.nonFinite++;
    else if (loss < min) apart.below++;
    else if (loss > max) apart.above++;
    else {
      const bin = binOf(loss, edges);
      counts[bin] = (counts[bin] as number) + 1;
    }
  }
  return {counts, edges, ...apart};
}

/** The smallest and the largest finite loss; 0 and 0 if there is none. */
function extent(losses: ArrayLike<number>): [smallest: number, largest: number] {
  let [smallest, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < losses.length; i++) {
    const loss = losses[i] as number;
    if (!Number.isFinite(loss)) continue;
    smallest = Math.min(smallest, loss);
    largest = Math.max(largest, loss);
  }
  return smallest <= largest ? [smallest, largest] : [0, 0];
}

/** The bin of a loss between the first and the last edge. */
function binOf(loss: number, edges: number[]): number {
  const last = edges.length - 2;
  const [min, max] = [edges[0] as number, edges[last + 1] as number];
  const share = (loss - min) / (max - min);
  let bin = Math.min(last, Math.floor(share * (last + 1)) || 0);
  // Correct for rounding: the edges decide.
  while (bin > 0 && loss < (edges[bin] as number)) bin--;
  while (bin < last && loss >= (edges[bin + 1] as number)) bin++;
  return bin;
}
