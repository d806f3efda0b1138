/**
 * What the experiment measures: the shape of `results.json`, and what the figures and the table are
 * drawn from.
 */

/**
 * One curve of the figures: `k` of `n` rows are backpropagated, the hardest or as many at random.
 */
export interface Run {
  /** How it is typed and shown: `512/384`, `512/384 random`. */
  name: string;
  n: number;
  k: number;
  rule: 'hardest' | 'random';
}

/**
 * Counts of losses per bin after a step; the bins divide `[0, 1]` evenly, the range of ½ Σ (p − y)²
 * over a softmax.
 */
export interface LossHistograms {
  step: number;
  /** How many of the n losses of the batch fall into each bin. */
  batch: number[];
  /** How many of the k selected ones do. */
  selected: number[];
}

export interface RunResult extends Run {
  /** Steps taken, in order; every array below has one value for each. */
  steps: number[];
  /** Mean loss of the rows that were backpropagated. */
  selectedLoss: number[];
  /** Mean loss of the whole batch. */
  batchLoss: number[];
  /** Share of the test digits that are classified rightly, measured every so often. */
  testAccuracy: {step: number; accuracy: number}[];
  histograms: LossHistograms[];
  /** Median wall-clock milliseconds of a step. */
  msPerStep: number;
}

/** Where the digits came from; `drawn` ones are not MNIST, and every output says so. */
export type DataSource = 'folder' | 'files' | 'cache' | 'download' | 'drawn';

/**
 * Backends of tfjs that the experiment runs on: all of them on a page, `wasm` and `cpu` on the
 * command line.
 */
export type Backend = 'webgpu' | 'webgl' | 'wasm' | 'cpu';

/** What the experiment is given; all of it decides the curves. */
export interface Settings {
  /** Of each run. */
  steps: number;
  learningRate: number;
  seed: number;
  backend: Backend;
  /** Names of runs, in the order in which they are run. */
  runs: string[];
}

export interface Results {
  settings: Settings;
  data: {
    source: DataSource;
    description: string;
    trainCount: number;
    testCount: number;
    /** Of the digits, if somebody named one; and whether it may hold others than MNIST's. */
    folder?: string;
    anyDigits?: boolean;
  };
  versions: {ohem: string; tfjs: string; node: string};
  runs: RunResult[];
}
