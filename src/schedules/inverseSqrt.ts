import {checkFinitePositive, checkOpenUnitInterval, checkOptionNames} from '../checks';
import {type RateByProgress, warmedUp} from './rateByProgress';

const NAME = 'inverseSqrt';

export interface InverseSqrtOptions {
  /** Largest rate, at the end of the warm-up; a finite number > 0. */
  from: number;
  /** Share of the run in which the rate rises from 0 to `from`, in (0, 1). Default 0.1. */
  warmup?: number;
}

/**
 * Lowers the learning rate by the inverse square root of the progress, after a linear warm-up.
 *
 *     rate = from · min(p / warmup, √(warmup / p)),    p = progress
 *
 * The schedule of the Transformer, with the warm-up as a share of the run. The last rate is
 * `from · √warmup`, not 0. The first step has rate 0.
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
  // Without a warm-up the formula would never give the rate `from`.
  checkOpenUnitInterval(NAME, 'warmup', warmup);
  return warmedUp(NAME, {warmup, peak: from}, (progress) => from * Math.sqrt(warmup / progress));
}
