/** The measurements of one rule, after some of its epochs. */
export interface EpochsRecord {
  rule: string;
  flipped: number;
  /** Rows that were run forward so far, by those of the data; also rows that were scored again. */
  forward: number[];
  /** Rows that were run backward so far, by those of the data. */
  backward: number[];
  /** Seconds of the processor, without what was measured in between. */
  seconds: number[];
  /**
   * On test data, whose labels are right: the share of wrong digits, or 1 less the average
   * precision.
   */
  testError: number[];
  /**
   * For mails: 1 less the average precision of spam among itself and the mails that are not easily
   * told from it.
   */
  hardError?: number[];
}
