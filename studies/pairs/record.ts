/** The measurements of one training run, before the first step and later. */
export interface PairsRecord {
  name: string;
  digits: string;
  measuredAt: number[];
  recallAt1: number[];
  meanAveragePrecisionAtR: number[];
  /** Mean distance of two test digits. */
  spread: number[];
  /** Of the step before. */
  loss: number[];
  /** The step at which `collapseWatch` warned; absent if it did not. */
  collapsedAt?: number;
}
