/** @file How many rows of each label are confidently of each class, and what that says of the number of wrong labels. */

/** Labels with the probabilities of each class, one row after the other. */
export interface LabelledRows {
  labels: Int32Array;
  /** `[N · C]`. */
  probabilities: Float64Array;
  classes: number;
}

/** The confident joint of labels and guesses. */
export interface ConfidentJoint {
  /** Of each class the mean probability of the rows that have its label; NaN for a class without rows. */
  thresholds: Float64Array;
  /** The class that a row is confidently of; −1 for none. */
  guesses: Int32Array;
  /** How many rows of a label, first, are confidently of a class; at least 1 on the diagonal. */
  counts: number[][];
}

/** So far below the threshold a probability may be, by rounding. */
const ROUNDING = 1e-6;

/** Counts the rows that reach the threshold of a class; among several such classes the most probable one counts. */
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

/** The place of the largest number, the first of equal ones. */
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

/** Scales the counts of each label to its number of rows, in integers. */
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

/** Rounds numbers so that they sum to a total: what is missing goes to the largest remainders. */
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

/** Rounds halves to the even neighbour. */
function toEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
