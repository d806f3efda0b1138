/** What is trained, the same in every shard: plain data, to be sent to threads and processes. */
export interface Settings {
  /** How many shards share a batch. */
  shards: number;
  /** Rows of a batch, of all shards together. */
  rows: number;
  /** How many of them are backpropagated. */
  k: number;
  steps: number;
  /** Units of the hidden layer. */
  hidden: number;
  learningRate: number;
  /** Of the first weights, the digits that are drawn, and their order. */
  seed: number;
  /** Folder with the files of MNIST. Omit to draw `digits` digits. */
  data?: string;
  /** How many digits to draw. */
  digits: number;
  /** Milliseconds that a shard may take for a part of a step. */
  timeout: number;
}

/**
 * How many times the timeout shards have until they are all there: loading takes longer than a
 * step.
 */
export const START = 6;

/** Milliseconds in which threads and processes have to end by themselves after a failure. */
export const GRACE = 3000;

export const DEFAULTS: Settings = {
  ...{shards: 2, rows: 512, k: 128, steps: 200, hidden: 256, learningRate: 0.05, seed: 1, digits: 6000},
  timeout: 20_000,
};
