/** A mean over seeds, and how sure it is. */
export interface Estimate {
  mean: number;
  /**
   * The mean lies within ± this with 95 % confidence, if the seeds scatter normally; NaN for a
   * single seed.
   */
  margin: number;
  /** Standard deviation over the seeds; NaN for a single one. */
  deviation: number;
  /** How many seeds. */
  count: number;
}

/**
 * Quantile 0.975 of Student's t, for 1 … 30 degrees of freedom (NIST/SEMATECH e-Handbook of
 * Statistical Methods, §1.3.6.7.2).
 */
const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];
/**
 * That of the normal distribution is 1.96; for more degrees of freedom than the table has, its last
 * value is a little too careful.
 */
const studentAt = (degrees: number) => STUDENT[Math.min(degrees, STUDENT.length) - 1] ?? Number.NaN;

/**
 * Estimates a mean from one number a seed.
 *
 *     mean ± t₀.₉₇₅(count − 1) · deviation / √count
 */
export function estimate(numbers: readonly number[]): Estimate {
  const count = numbers.length;
  const mean = numbers.reduce((sum, number) => sum + number, 0) / count;
  const squares = numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0);
  const deviation = count > 1 ? Math.sqrt(squares / (count - 1)) : Number.NaN;
  return {mean, margin: (studentAt(count - 1) * deviation) / Math.sqrt(count), deviation, count};
}

/**
 * Estimates by how much one thing is larger than another, seed by seed: what a seed does to both of
 * them drops out.
 *
 * @param one  a number for each seed.
 * @param other  the same seeds in the same order.
 */
export function pairedDifference(one: readonly number[], other: readonly number[]): Estimate {
  if (one.length !== other.length) {
    throw new RangeError(`pairedDifference: other must have ${one.length} seeds as one has, got ${other.length}.`);
  }
  return estimate(one.map((number, seed) => number - (other[seed] as number)));
}

/** Whether the interval leaves out 0. */
export const isClear = ({mean, margin}: Estimate): boolean => Math.abs(mean) > margin;
