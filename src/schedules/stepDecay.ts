import {
  checkFinitePositive,
  checkNotNegative,
  checkOptionNames,
  checkUnitInterval,
  rangeError,
  typeError,
} from '../checks';
import {type RateByProgress, warmedUp} from './rateByProgress';

const NAME = 'stepDecay';

export interface StepDecayOptions {
  /** Rate that the factors multiply, a finite number > 0. */
  from: number;
  /** Share of the run in which the rate rises from 0 to `from`, in [0, 1). Default 0. */
  warmup?: number;
}

/**
 * Multiplies the learning rate by a factor that changes at given shares of the run.
 *
 *     rate = from · p / warmup                                  if p < warmup,   p = progress
 *     rate = from · (factor of the last share ≤ p, else 1)      otherwise
 *
 * The factors apply to `from`, not to the previous rate: `[[0.5, 0.1], [0.75, 0.01]]` is PyTorch's
 * `MultiStepLR` with `gamma` 0.1.
 *
 * @param steps  pairs of a share of the run in [0, 1), which must increase, and a factor, a finite
 *   number ≥ 0.
 * @param options  see {@link StepDecayOptions}.
 * @returns a function of `{progress}`, for `fitOhem({learningRate})`; it throws a RangeError if
 *   `progress` is not a finite number ≥ 0.
 * @throws RangeError if a number is out of range; TypeError if `steps` is not a list of pairs.
 *
 * @example
 * const rate = stepDecay([[0.5, 0.1], [0.75, 0.01]], {from: 0.2});
 * [0, 0.49, 0.5, 0.75, 1].map((progress) => rate({progress}));   // [0.2, 0.2, 0.02, 0.002, 0.002]
 */
export function stepDecay(
  steps: readonly (readonly [share: number, factor: number])[],
  options: StepDecayOptions,
): RateByProgress {
  checkSteps(steps);
  checkOptionNames(NAME, options, ['from', 'warmup']);
  const {from, warmup = 0} = options ?? {};
  checkFinitePositive(NAME, 'from', from);
  const [firstShare = 1] = steps[0] ?? [];
  if (warmup > firstShare) {
    throw rangeError(NAME, 'warmup', `be at most the first share, ${firstShare}`, warmup);
  }
  return warmedUp(NAME, {warmup, peak: from}, (progress) => {
    const [, factor] = steps.filter(([share]) => share <= progress).at(-1) ?? [0, 1];
    return from * factor;
  });
}

function checkSteps(steps: readonly (readonly [number, number])[]): void {
  if (!Array.isArray(steps) || !steps.every((step) => Array.isArray(step) && step.length === 2)) {
    throw typeError(NAME, 'steps', 'be a list of pairs [share, factor]', steps, 'Pass [[0.5, 0.1]] and {from: 0.1}.');
  }
  steps.forEach(([share, factor], i) => {
    checkUnitInterval(NAME, `steps[${i}][0]`, share);
    checkNotNegative(NAME, `steps[${i}][1]`, factor);
    const before = steps[i - 1]?.[0] ?? -1;
    if (!(share > before)) throw rangeError(NAME, `steps[${i}][0]`, `be above the previous share, ${before}`, share);
  });
}
