import {inverseSqrt} from 'ohem-tfjs';

/**
 * Progress at the end of the warm-up: so small that a run of a thousand times as many steps still
 * has a progress below 1, from which on the rate stays as it is.
 */
const WARMUP = 0.001;

/**
 * The learning rate of each step, counted from 0, whatever the number of steps: a run is then the
 * beginning of a longer one, and rules can be compared after equal time.
 *
 *     rate = from · min(s / warmupSteps, √(warmupSteps / s)),    s = step + 1
 */
export function anytimeRate({from, warmupSteps}: {from: number; warmupSteps: number}): (step: number) => number {
  const rate = inverseSqrt({from, warmup: WARMUP});
  return (step) => rate({progress: (WARMUP * (step + 1)) / warmupSteps});
}
