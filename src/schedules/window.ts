import {checkOptionNames, checkRatio, checkWhole, rangeError} from '../checks';
import type {KeepSchedule} from '../types';

const NAME = 'window';

export interface WindowOptions {
  /** First step of the window; an integer ≥ 0. */
  start: number;
  /** First step after the window; an integer > `start`. */
  end: number;
  /** Every `interrupt`-th step keeps all rows; an integer ≥ 2, or 0 for none. Default 2. */
  interrupt?: number;
  /** Share kept within the window, in (0, 1]. Default 0.5. */
  ratio?: number;
}

/**
 * Keeps a share of the rows within a window of steps, with interruptions, and all rows outside.
 *
 *     ratio = start ≤ step < end and (step + 1) mod interrupt ≠ 0  ?  ratio  :  1
 *
 * The timetable of Composer's selective backprop, with its defaults. It keeps all rows at the
 * start, while the network has everything to learn, and at the end, when it settles; in between it
 * selects at every second step.
 *
 * Composer defines its window in shares of the run and restarts the interruptions at each epoch;
 * this schedule counts steps throughout. An `interrupt` of 1 would interrupt every step, and is
 * rejected.
 *
 * @param options  `start`, an integer ≥ 0; `end`, an integer > `start`; `interrupt`, an integer ≥
 *   2, or 0 for none, default 2; `ratio`, in (0, 1], default 0.5.
 * @returns a schedule without state, for {@link scheduled}.
 * @throws RangeError if an option is out of range.
 *
 * @example
 * const schedule = window({start: 2, end: 6, interrupt: 3, ratio: 0.25});
 * [0, 1, 2, 3, 4, 5, 6].map((step) => schedule.ratio(null, {step}));   // [1, 1, 1, 0.25, 0.25, 1, 1]
 *
 * @see MosaicML, Composer, Selective Backprop (`start`, `end`, `keep`, `interrupt`)
 */
export function window(options: WindowOptions = {} as WindowOptions): KeepSchedule<null> {
  checkOptionNames(NAME, options, ['start', 'end', 'interrupt', 'ratio']);
  const {start, end, interrupt = 2, ratio = 0.5} = options;
  checkWhole(NAME, 'start', start);
  if (!Number.isInteger(end) || end <= start) throw rangeError(NAME, 'end', `be an integer > start, ${start}`, end);
  if (interrupt !== 0 && !(Number.isInteger(interrupt) && interrupt >= 2)) {
    const remedy = 'Pass 0 for a window without interruptions.';
    throw rangeError(NAME, 'interrupt', 'be an integer >= 2, or 0', interrupt, remedy);
  }
  checkRatio(NAME, 'ratio', ratio);
  const isInterrupted = (step: number) => interrupt !== 0 && (step + 1) % interrupt === 0;
  return {
    init: () => null,
    ratio: (_, {step}) => (step >= start && step < end && !isInterrupted(step) ? ratio : 1),
    next: () => null,
  };
}
