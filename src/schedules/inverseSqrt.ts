import {checkFinitePositive, checkOpenUnitInterval, checkOptionNames} from '../checks';
import {type RateByProgress, warmedUp} from './rateByProgress';

const NAME = 'inverseSqrt';

export interface InverseSqrtOptions {
  /** The largest rate, at the end of the warm-up; a finite number > 0. */
  from: number;
  /** The share of the run during which the rate rises from 0 to `from`, in (0, 1). Default 0.1. */
  warmup?: number;
}

/**
 * Lowers the learning rate by the square root of the steps taken, after a linear warm-up.
 *
 *     rate = from · min(p / warmup, √(warmup / p)),    p = progress
 *
 * The schedule of the Transformer, with the warm-up as a share of the run. It does not go to 0: it
 * ends at `from · √warmup`. The first step has the rate 0.
 *
 * @param options  see {@link InverseSqrtOptions}.
 * @returns a function of `{progress}`, for `fitOhem({learningRate})`; it throws a RangeError if
 *   `progress` is not a finite number ≥ 0.
 * @throws RangeError if an option is out of range.
 *
 * @example
 * const rate = inverseSqrt({from: 0.01, warmup: 0.04});
 * [0, 0.02, 0.04, 0.16, 1].map((progress) => rate({progress}));   // [0, 0.005, 0.01, 0.005, 0.002]
 *
 * @see Vaswani et al., Attention Is All You Need, NeurIPS 2017, §5.3 (arXiv:1706.03762)
 */
export function inverseSqrt(options: InverseSqrtOptions): RateByProgress {
  checkOptionNames(NAME, options, ['from', 'warmup']);
  const {from, warmup = 0.1} = options ?? {};
  checkFinitePositive(NAME, 'from', from);
  // Without a warm-up there is no step at which the rate would be `from`.
  checkOpenUnitInterval(NAME, 'warmup', warmup);
  return warmedUp(NAME, {warmup, peak: from}, (progress) => from * Math.sqrt(warmup / progress));
}
