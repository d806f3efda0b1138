import type {Estimate} from '../kit/statistics';

/** The measurements of one rule, at one share of wrong labels. */
export interface NoiseRecord {
  rule: string;
  flipped: number;
  measuredAt: number[];
  /** On the test digits, whose labels are right. */
  testAccuracy: number[];
  /** Share of wrong labels among the rows that were kept, in the epoch that ended there. */
  wrongAmongKept?: number[];
}

/** One rule at one share of wrong labels, over the seeds. */
export interface NoiseResult {
  rule: string;
  flipped: number;
  /** Test accuracy, by the epoch after which it was measured. */
  afterEpochs: Record<string, Estimate>;
  /** Of the rows that were kept in that epoch; of studies that count them. */
  wrongAmongKept?: Record<string, Estimate>;
  /** Paired differences to plain training with as many wrong labels. */
  toPlain?: Record<string, Estimate>;
}
