import type {ArmRecord} from '../kit/trainTogether';

/** The optimizers that are compared, each with a grid of learning rates. */
export type OptimizerName = 'sgd' | 'adam';

/** How well one learning rate did. */
export interface RateTried {
  rate: number;
  /**
   * Mean validation accuracy of the seeds after each stage that it took part in; after all of them
   * for the best rate and those beside it.
   */
  accuracies: number[];
}

/** The search for the learning rate of one run. */
export interface Sweep {
  optimizer: OptimizerName;
  run: string;
  /** Steps after which the slower rates were dropped, and at the end those of the whole run. */
  stages: number[];
  tried: RateTried[];
  /** The rate with the largest accuracy after the last stage, larger than of both beside it. */
  best: number;
}

/** A run at its own best rate. */
export interface TunedRecord extends ArmRecord {
  optimizer: OptimizerName;
  learningRate: number;
}

/** The measurements of one seed, with the sweeps that all seeds have in common. */
export interface TunedSeed {
  sweeps: Sweep[];
  arms: TunedRecord[];
}
