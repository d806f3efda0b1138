/** The results of a rule with a share of wrong labels. */
export interface NoiseRecord {
  rule: string;
  flipped: number;
  measuredAt: number[];
  /** On the test digits, whose labels are right. */
  testAccuracy: number[];
}
