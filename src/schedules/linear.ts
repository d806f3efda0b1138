import {checkCount, checkOptionNames, checkRatio} from '../checks';
import type {KeepSchedule} from '../types';

const NAME = 'linear';

export interface LinearOptions {
  /** Share kept at step 0, in (0, 1]. */
  from: number;
  /** Share kept from step `steps` on, in (0, 1]. */
  to: number;
  /** Number of steps until the share reaches `to`; an integer ≥ 1. */
  steps: number;
}

/**
 * Moves the kept share of rows linearly from one value to another, then holds it.
 *
 *     ratio = from + (to − from) · min(1, step / steps)
 *
 * DeepLab's schedule, from every pixel to the hardest ones: a run with only the hardest 10 % from
 * the first step does not converge. It counts steps, not epochs.
 *
 * @param options  `from` and `to`, the shares at step 0 and from step `steps` on, in (0, 1];
 *   `steps`, an integer ≥ 1.
 * @returns a schedule without state, for {@link scheduled}.
 * @throws RangeError if `from` or `to` is not in (0, 1], or `steps` not an integer ≥ 1.
 *
 * @example
 * const schedule = linear({from: 1, to: 0.25, steps: 1000});
 * [0, 500, 1000, 2000].map((step) => schedule.ratio(null, {step}));   // [1, 0.625, 0.25, 0.25]
 *
 * @see DeepLab, `deeplab/utils/train_utils.py` in tensorflow/models (`hard_example_mining_step`,
 *   `top_k_percent_pixels`)
 */
export function linear(options: LinearOptions = {} as LinearOptions): KeepSchedule<null> {
  checkOptionNames(NAME, options, ['from', 'to', 'steps']);
  const {from, to, steps} = options;
  checkRatio(NAME, 'from', from);
  checkRatio(NAME, 'to', to);
  checkCount(NAME, 'steps', steps);
  return {
    init: () => null,
    ratio: (_, {step}) => (step >= steps ? to : from + (to - from) * (step / steps)),
    next: () => null,
  };
}
