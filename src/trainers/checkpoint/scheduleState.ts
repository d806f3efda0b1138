import {typeError} from '../../checks';
import type {KeepSchedule} from '../../types';

/**
 * Checks the saved state of a schedule as far as its functions tell, which are pure: a state that
 * gives no ratio where a first state gives one, or any state for a schedule that never has one.
 */
export function checkScheduleState(
  where: string,
  schedule: KeepSchedule | undefined,
  {schedule: saved, step}: {schedule?: unknown; step: number},
): void {
  if (!schedule) return;
  const first = schedule.init();
  const refused = (constraint: string) =>
    typeError(where, 'schedule of initialState', constraint, saved, 'Resume with the selector of the saved run.');
  const hasRatio = (state: unknown) => Number.isFinite(resultOf(() => schedule.ratio(state, {step})));
  if (hasRatio(first) && !hasRatio(saved)) throw refused('be a state of the schedule of select');
  const isLast = (state: unknown) => resultOf(() => schedule.next(state, {step})) === null;
  if (first === null && saved !== null && isLast(first) && isLast(saved)) {
    throw refused('be null for a schedule without a state');
  }
}

/** Returns the result of a function of the caller; undefined if it throws. */
function resultOf(f: () => unknown): unknown {
  try {
    return f();
  } catch {
    return undefined;
  }
}
