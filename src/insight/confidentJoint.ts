/**
 * @file The confident joint of labels and predicted classes, from which label errors are counted.
 */

/** Labels with class probabilities, row by row. */
export interface LabelledRows {
  labels: Int32Array;
  /** `[N · C]`. */
  probabilities: Float64Array;
  classes: number;
}

/** The confident joint of labels and guesses. */
export interface ConfidentJoint {
  /** Mean probability of each class over the rows with its label; NaN for a class without rows. */
  thresholds: Float64Array;
  /** Class that each row confidently belongs to; −1 for none. */
  guesses: Int32Array;
  /** Number of rows by label (first index) and confident class (second index). */
  counts: number[][];
}

/** Tolerance by which rounding may push a probability below the threshold. */
const ROUNDING = 1e-6;

/**
 * Counts confident rows by label and class. A row that reaches several thresholds counts for its
 * most probable class, also if that is not one of them, as in cleanlab.
 */
export function confidentJoint({labels, probabilities, classes}: LabelledRows): ConfidentJoint {
  const thresholds = meansOfLabels({labels, probabilities, classes});
  const counts = Array.from({length: classes}, () => new Array<number>(classes).fill(0));
  const guesses = labels.map((label, row) => {
    const p = probabilities.subarray(row * classes, (row + 1) * classes);
    const reached = p.map((value, j) => (value >= (thresholds[j] as number) - ROUNDING ? 1 : 0));
    const several = reached.reduce((total, one) => total + one, 0);
    const guess = several === 0 ? -1 : several === 1 ? reached.indexOf(1) : largestOf(p);
    const ofLabel = counts[label] as number[];
    if (guess >= 0) ofLabel[guess] = (ofLabel[guess] as number) + 1;
    return guess;
  });
  return {thresholds, guesses, counts};
}

/** The index of the largest number; the first one of a tie. */
export function largestOf(values: Float64Array): number {
  return values.reduce((best, value, place) => (value > (values[best] as number) ? place : best), 0);
}

function meansOfLabels({labels, probabilities, classes}: LabelledRows): Float64Array {
  const [sums, rows] = [new Float64Array(classes), new Float64Array(classes)];
  for (const [row, label] of labels.entries()) {
    sums[label] = (sums[label] as number) + (probabilities[row * classes + label] as number);
    rows[label] = (rows[label] as number) + 1;
  }
  return sums.map((sum, j) => sum / (rows[j] as number));
}

/** Scales the counts of each label to its number of rows, rounded to integers. */
export function calibrated(counts: number[][], rowsOfLabel: readonly number[]): number[][] {
  return counts.map((ofLabel, label) => {
    const atLeastOne = ofLabel.map((count, j) => (j === label ? Math.max(count, 1) : count));
    const total = atLeastOne.reduce((sum, count) => sum + count, 0);
    return roundedTo(
      atLeastOne.map((count) => (count / total) * (rowsOfLabel[label] as number)),
      rowsOfLabel[label] as number,
    );
  });
}

/** Rounds numbers so that they sum to `total`; the largest remainders absorb the difference. */
function roundedTo(values: number[], total: number): number[] {
  const rounded = values.map(toEven);
  for (;;) {
    const missing = total - rounded.reduce((sum, value) => sum + value, 0);
    if (missing === 0) return rounded;
    const [step, sign] = [Math.sign(missing), missing > 0 ? -1 : 1];
    const remainder = (place: number) => sign * ((values[place] as number) - (rounded[place] as number));
    const order = [...values.keys()].sort((a, b) => remainder(a) - remainder(b));
    for (const place of order.slice(0, Math.abs(missing))) rounded[place] = (rounded[place] as number) + step;
  }
}

/** Rounds to the nearest integer, halves to even. */
function toEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
