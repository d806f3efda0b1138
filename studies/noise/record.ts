/** What a rule came to where so many labels were wrong. */
export interface NoiseRecord {
  rule: string;
  flipped: number;
  measuredAt: number[];
  /** On the test digits, whose labels are right. */
  testAccuracy: number[];
}
