/** The measurements of one rule, at one share of wrong labels. */
export interface NoiseRecord {
  rule: string;
  flipped: number;
  measuredAt: number[];
  /** On the test digits, whose labels are right. */
  testAccuracy: number[];
}
