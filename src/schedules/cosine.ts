import {checkFinitePositive, checkNotNegative, checkOptionNames} from '../checks';
import {halfCosine, type RateByProgress, warmedUp} from './rateByProgress';

const NAME = 'cosine';

export interface CosineOptions {
  /** Largest rate, at the end of the warm-up; a finite number > 0. */
  from: number;
  /** Rate at the end of the run, a finite number ≥ 0. Default 0. */
  to?: number;
  /** Share of the run in which the rate rises from 0 to `from`, in [0, 1). Default 0. */
  warmup?: number;
}

/**
 * Lowers the learning rate along half a cosine, after a linear warm-up.
 *
 *     rate = from · p / warmup                                    if p < warmup,   p = progress
 *     rate = to + (from − to) · (1 + cos(π · (p − warmup) / (1 − warmup))) / 2     otherwise
 *
 * All units are shares of the run, so the schedule spans the run exactly, however many rows or
 * batches a sampler leaves out. With a warm-up the first step has rate 0, as in Keras.
 *
 * @param options  see {@link CosineOptions}.
 * @returns a function of `{progress}`, for `fitOhem({learningRate})`; it throws a RangeError if
 *   `progress` is not a finite number ≥ 0.
 * @throws RangeError if an option is out of range.
 *
 * @example
 * const rate = cosine({from: 0.1, warmup: 0.2});
 * [0, 0.1, 0.2, 0.6, 1].map((progress) => rate({progress}));   // [0, 0.05, 0.1, 0.05, 0]
 *
 * @see Loshchilov & Hutter, SGDR, ICLR 2017, eq. 5 (arXiv:1608.03983), without restarts
 */
export function cosine(options: CosineOptions): RateByProgress {
  checkOptionNames(NAME, options, ['from', 'to', 'warmup']);
  const {from, to = 0, warmup = 0} = options ?? {};
  checkFinitePositive(NAME, 'from', from);
  checkNotNegative(NAME, 'to', to);
  return warmedUp(NAME, {warmup, peak: from}, (progress) => halfCosine(from, to, (progress - warmup) / (1 - warmup)));
}
