import {checkClosedUnitInterval, checkFactor, checkFinitePositive, checkOptionNames} from '../checks';
import {halfCosine, type RateByProgress, rateByProgress} from './rateByProgress';

const NAME = 'oneCycle';

export interface OneCycleOptions {
  /** The largest rate, a finite number > 0. */
  max: number;
  /** The share of the run during which the rate rises, in [0, 1]. Default 0.3. */
  pctStart?: number;
  /** The first rate is `max / divFactor`; a finite number ≥ 1. Default 25. */
  divFactor?: number;
  /** The last rate is the first one divided by `finalDiv`; a finite number ≥ 1. Default 1e4. */
  finalDiv?: number;
}

/**
 * Raises the learning rate along half a cosine, and lowers it along another to far below the first.
 *
 *     first = max / divFactor,    last = first / finalDiv,    h(a, b, s) = b + (a − b) · (1 + cos(π · s)) / 2
 *     rate = h(first, max, p / pctStart)                     for p < pctStart
 *     rate = h(max, last, (p − pctStart) / (1 − pctStart))   from then on,   p = progress
 *
 * The names, defaults and cosines of PyTorch's `OneCycleLR`. The momentum stays as it is.
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
