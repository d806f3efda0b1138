/** @file Training dynamics of each row in a ledger. */

/** Number of values per row that the dynamics use, after those of its losses. */
export const DYNAMICS_WIDTH = 8;

const [OBSERVED, CORRECT, FORGOTTEN, WAS_CORRECT, MARGIN, CONFIDENCE, SQUARES, ERROR] = [0, 1, 2, 3, 4, 5, 6, 7];

/** Prediction of a row in one pass. */
interface PredictedRow {
  margin: number;
  confidence: number;
  isCorrect: boolean;
  error: number;
}

/** Training dynamics of each row over the passes. */
export interface LedgerDynamics {
  enter(row: number, predicted: PredictedRow): void;
  /** Whether the counts of a row contradict one another. */
  isImpossible(row: number): boolean;
  /** NaN before the row is seen, like the other results. */
  aum(row: number): number;
  /** Infinity if the row was never predicted right. */
  forgotten(row: number): number;
  confidence(row: number): number;
  variability(row: number): number;
  correctness(row: number): number;
  el2n(row: number): number;
}

/** Reads and writes dynamics in a ledger's buffer of `width` numbers per row, at offset `first`. */
export function ledgerDynamics(buffer: ArrayBuffer, width: number, first: number): LedgerDynamics {
  const [counts, values] = [new Uint32Array(buffer), new Float32Array(buffer)];
  const count = (row: number, which: number) => counts[width * row + first + which] as number;
  const value = (row: number, which: number) => values[width * row + first + which] as number;
  const seenValue = (which: number) => (row: number) => (count(row, OBSERVED) > 0 ? value(row, which) : Number.NaN);
  return {
    enter(row, {margin, confidence, isCorrect, error}) {
      const at = width * row + first;
      const observed = count(row, OBSERVED) + 1;
      counts[at + OBSERVED] = observed;
      counts[at + CORRECT] = count(row, CORRECT) + (isCorrect ? 1 : 0);
      if (count(row, WAS_CORRECT) === 1 && !isCorrect) counts[at + FORGOTTEN] = count(row, FORGOTTEN) + 1;
      counts[at + WAS_CORRECT] = isCorrect ? 1 : 0;
      values[at + MARGIN] = value(row, MARGIN) + (margin - value(row, MARGIN)) / observed;
      values[at + ERROR] = value(row, ERROR) + (error - value(row, ERROR)) / observed;
      // Welford's recurrence, because a difference of sums of squares would be mostly rounding
      // error.
      const before = confidence - value(row, CONFIDENCE);
      const mean = value(row, CONFIDENCE) + before / observed;
      values[at + CONFIDENCE] = mean;
      values[at + SQUARES] = value(row, SQUARES) + before * (confidence - mean);
    },
    isImpossible: (row) =>
      Math.max(count(row, CORRECT), count(row, WAS_CORRECT)) > count(row, OBSERVED) ||
      count(row, FORGOTTEN) > count(row, CORRECT),
    aum: seenValue(MARGIN),
    forgotten(row) {
      if (count(row, OBSERVED) === 0) return Number.NaN;
      return count(row, CORRECT) === 0 ? Number.POSITIVE_INFINITY : count(row, FORGOTTEN);
    },
    confidence: seenValue(CONFIDENCE),
    variability: (row) =>
      count(row, OBSERVED) > 0 ? Math.sqrt(Math.max(0, value(row, SQUARES)) / count(row, OBSERVED)) : Number.NaN,
    correctness: (row) => (count(row, OBSERVED) > 0 ? count(row, CORRECT) : Number.NaN),
    el2n: seenValue(ERROR),
  };
}
