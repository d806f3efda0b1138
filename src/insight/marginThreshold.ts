import {checkFinite, checkOptionNames, rangeError, typeError} from '../checks';
import {largestFirst} from './largestFirst';

const NAME = 'miningLedger.suspectsByMargin';

export interface SuspectsByMarginOptions {
  /** Rows that have the label of the extra class, as `thresholdSamples` lists them. */
  thresholdRows: ArrayLike<number>;
  /** Percentile of their margins that is the threshold, from 0 to 100. Default 99. */
  percentile?: number;
}

/** Lists rows with a margin at or below that of deliberately mislabelled rows, lowest first. */
export function belowThreshold(
  size: number,
  aum: (row: number) => number,
  options: SuspectsByMarginOptions = {} as SuspectsByMarginOptions,
): Int32Array {
  checkOptionNames(NAME, options, ['thresholdRows', 'percentile']);
  const {thresholdRows, percentile = 99} = options;
  checkFinite(NAME, 'percentile', percentile);
  if (percentile < 0 || percentile > 100) throw rangeError(NAME, 'percentile', 'be from 0 to 100', percentile);
  const isSample = new Set(checkedRows(size, thresholdRows));
  const margins = Float64Array.from(isSample, aum).filter((margin) => !Number.isNaN(margin));
  if (margins.length === 0) {
    const remedy = 'Train on the labels of thresholdSamples first.';
    throw rangeError(NAME, 'thresholdRows', 'hold a row that was seen', 'none', remedy);
  }
  const threshold = percentileOf(margins.sort(), percentile);
  return largestFirst(size, size, (row) => (!isSample.has(row) && aum(row) <= threshold ? -aum(row) : Number.NaN));
}

function checkedRows(size: number, rows: ArrayLike<number>): number[] {
  if (typeof rows !== 'object' || typeof rows?.length !== 'number' || rows.length === 0) {
    throw typeError(NAME, 'thresholdRows', 'be a list of at least one row', rows, 'Make one with thresholdSamples().');
  }
  const list = Array.from(rows);
  const wrong = list.find((row) => !(Number.isInteger(row) && row >= 0 && row < size));
  if (wrong === undefined) return list;
  throw rangeError(NAME, 'thresholdRows', `hold integers from 0 to ${size - 1}`, wrong);
}

/** The percentile of ascending numbers, by linear interpolation. */
function percentileOf(ascending: Float64Array, percentile: number): number {
  const place = (percentile / 100) * (ascending.length - 1);
  const [low, high] = [ascending[Math.floor(place)] as number, ascending[Math.ceil(place)] as number];
  return low + (high - low) * (place - Math.floor(place));
}
