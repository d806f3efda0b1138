import {checkClosedUnitInterval, checkFactor, checkFinitePositive, checkOptionNames} from '../checks';
import {halfCosine, type RateByProgress, rateByProgress} from './rateByProgress';

const NAME = 'oneCycle';

export interface OneCycleOptions {
  /** Largest rate, a finite number > 0. */
  max: number;
  /** Share of the run in which the rate rises, in [0, 1]. Default 0.3. */
  pctStart?: number;
  /** Ratio of the largest rate to the first; a finite number ≥ 1. Default 25. */
  divFactor?: number;
  /** Ratio of the first rate to the last; a finite number ≥ 1. Default 1e4. */
  finalDiv?: number;
}

/**
 * Raises the learning rate along half a cosine, then lowers it far below the first rate.
 *
 *     first = max / divFactor,    last = first / finalDiv
 *     h(a, b, s) = b + (a − b) · (1 + cos(π · s)) / 2
 *     rate = h(first, max, p / pctStart)                     if p < pctStart,   p = progress
 *     rate = h(max, last, (p − pctStart) / (1 − pctStart))   otherwise
 *
 * Names, defaults and cosines are those of PyTorch's `OneCycleLR`. The momentum does not change.
 *
 * @param options  see {@link OneCycleOptions}.
 * @returns a function of `{progress}`, for `fitOhem({learningRate})`; it throws a RangeError if
 *   `progress` is not a finite number ≥ 0.
 * @throws RangeError if an option is out of range.
 *
 * @example
 * const rate = oneCycle({max: 0.1, pctStart: 0.5});
 * [0, 0.25, 0.5, 0.75, 1].map((progress) => rate({progress}));   // [0.004, 0.052, 0.1, 0.0500002, 4e-7]
 *
 * @see Smith & Topin, Super-Convergence, 2019, §3 (arXiv:1708.07120)
 */
export function oneCycle(options: OneCycleOptions): RateByProgress {
  checkOptionNames(NAME, options, ['max', 'pctStart', 'divFactor', 'finalDiv']);
  const {max, pctStart = 0.3, divFactor = 25, finalDiv = 1e4} = options ?? {};
  checkFinitePositive(NAME, 'max', max);
  checkClosedUnitInterval(NAME, 'pctStart', pctStart);
  checkFactor(NAME, 'divFactor', divFactor);
  checkFactor(NAME, 'finalDiv', finalDiv);
  const first = max / divFactor;
  const last = first / finalDiv;
  return rateByProgress(NAME, (progress) => {
    if (progress < pctStart || pctStart === 1) return halfCosine(first, max, progress / pctStart);
    return halfCosine(max, last, (progress - pctStart) / (1 - pctStart));
  });
}
