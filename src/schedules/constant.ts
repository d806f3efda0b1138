import {checkRatio} from '../checks';
import type {KeepSchedule} from '../types';

/**
 * Keeps the same share of rows at every step.
 *
 *     ratio = r
 *
 * The control for the other schedules: `scheduled(topK, constant(0.5))` is `topK({ratio: 0.5})`.
 *
 * @param ratio  the share to keep, in (0, 1].
 * @returns a schedule without state, for {@link scheduled}.
 * @throws RangeError if `ratio` is not in (0, 1].
 *
 * @example
 * constant(0.5).ratio(null, {step: 1000});   // 0.5
 */
export function constant(ratio: number): KeepSchedule<null> {
  checkRatio('constant', 'ratio', ratio);
  return {init: () => null, ratio: () => ratio, next: () => null};
}
