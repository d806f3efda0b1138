import {checkFactor, checkRatio, rangeError, typeError} from '../checks';
import type {KeepSchedule} from '../types';

const NAME = 'accuracySteps';

/** The thresholds of the paper's experiments. */
const ORDERED_SGD: readonly (readonly [number, number])[] = [
  [0.8, 2],
  [0.9, 4],
  [0.95, 8],
  [0.995, 16],
];

/**
 * Keeps fewer rows as the accuracy on the training data rises.
 *
 *     ratio = 1 / divisor,   divisor ← max(divisor, divisors of the accuracies reached)
 *
 * Ordered SGD's choice of q: the better a network fits, the fewer rows of a batch still teach it
 * something. The divisor never decreases, even if the accuracy falls, and it may skip steps.
 *
 * The schedule needs a trainer that measures the accuracy. `fitOhem` does so at the end of an
 * epoch, for a model with one output that was compiled with the metric `'accuracy'`. Before the
 * first measurement all rows are kept. (The authors also cut the learning rate at divisor 16; this
 * schedule does not.)
 *
 * @param steps  pairs of an accuracy in (0, 1], which must increase, and the divisor of the batch
 *   from there on, a finite number ≥ 1. Default `[[0.8, 2], [0.9, 4], [0.95, 8], [0.995, 16]]`.
 * @returns a schedule with the state `{divisor}`, for {@link scheduled}.
 * @throws RangeError if an accuracy is not in (0, 1] or not larger than the previous one, or a
 *   divisor is not a finite number ≥ 1; TypeError if `steps` is not a list of pairs.
 *
 * @example
 * const schedule = accuracySteps();
 * let state = schedule.init();
 * state = schedule.next(state, {step: 100, accuracy: 0.93});
 * schedule.ratio(state, {step: 100});   // 0.25
 *
 * @see Kawaguchi & Lu, Ordered SGD, AISTATS 2020, §5 (arXiv:1907.04371)
 */
export function accuracySteps(
  steps: readonly (readonly [accuracy: number, divisor: number])[] = ORDERED_SGD,
): KeepSchedule<{divisor: number}> {
  checkSteps(steps);
  return {
    init: () => ({divisor: 1}),
    ratio: ({divisor}) => 1 / divisor,
    next: ({divisor}, {accuracy = 0}) => ({
      divisor: Math.max(divisor, ...steps.filter(([from]) => accuracy >= from).map(([, to]) => to)),
    }),
  };
}

function checkSteps(steps: readonly (readonly [number, number])[]): void {
  if (!Array.isArray(steps) || !steps.every((step) => Array.isArray(step) && step.length === 2)) {
    throw typeError(NAME, 'steps', 'be a list of pairs [accuracy, divisor]', steps, 'Pass [[0.8, 2], [0.9, 4]].');
  }
  steps.forEach(([accuracy, divisor], i) => {
    checkRatio(NAME, `steps[${i}][0]`, accuracy);
    checkFactor(NAME, `steps[${i}][1]`, divisor);
    const before = steps[i - 1]?.[0] ?? 0;
    if (!(accuracy > before))
      throw rangeError(NAME, `steps[${i}][0]`, `be above the previous accuracy, ${before}`, accuracy);
  });
}
