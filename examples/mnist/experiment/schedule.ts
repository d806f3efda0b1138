/**
 * Measurements of the accuracy over a run: each costs as much as some steps, so a short run has
 * fewer.
 */
const FEWEST_MEASUREMENTS = 10;
const MOST_MEASUREMENTS = 60;
const STEPS_PER_MEASUREMENT = 30;
/** Histograms over a run, beside that of its first step. */
const PICTURES = 60;

/**
 * Whether the accuracy is measured after this step: at even intervals and after the last one, at
 * most 60 times.
 */
export function isMeasured(step: number, steps: number): boolean {
  const wanted = Math.round(steps / STEPS_PER_MEASUREMENT);
  return isOneOf(Math.min(MOST_MEASUREMENTS, Math.max(FEWEST_MEASUREMENTS, wanted)), step, steps);
}

/**
 * Whether the losses of this step are counted: the first, even intervals, and the last, at most 61
 * times.
 */
export function isPictured(step: number, steps: number): boolean {
  return step === 1 || isOneOf(PICTURES, step, steps);
}

const isOneOf = (count: number, step: number, steps: number) => step % Math.ceil(steps / count) === 0 || step === steps;
