/** The measurements of one training run, after each epoch. */
export interface OrderedRecord {
  name: string;
  /**
   * Shares of the 10,000 test digits and the 60,000 training digits that are classified wrongly.
   */
  testError: number[];
  trainError: number[];
  /** Rows of 64 that the steps of the epoch kept. */
  kept: number[];
  /** Median of the epoch. */
  msPerStep: number[];
}
