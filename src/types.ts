import type {Scalar, Tensor, Tensor1D, Tensor2D} from '@tensorflow/tfjs-core';

/**
 * Scores every example of a batch, unreduced: `float32[B]`, or `float32[B, …]` with one loss per
 * pixel, anchor or time step. The class or feature axis is reduced. As in Keras, the targets come
 * first.
 *
 * Any function of this signature is a per-sample loss; those of this library are in
 * `ohem-tfjs/losses`.
 */
export interface PerSampleLoss {
  (yTrue: Tensor, yPred: Tensor): Tensor;
  /**
   * Returns the mask of entries that count: 1, or 0 for an ignored label, in the shape of the loss.
   * Ignored entries are never selected and enter no mean. Omit if all entries count.
   */
  valid?: (yTrue: Tensor) => Tensor;
  /**
   * Declares that each value on the last axis is a binary prediction, a probability or a logit. The
   * loss is the mean over them. Omit for a loss of one class among several, or of numbers.
   */
  binary?: {fromLogits: boolean};
  /**
   * Declares that a row's loss depends on that row alone, not on its position, other rows or their
   * number.
   */
  rowwise?: true;
  /**
   * Declares that a NaN prediction gives its row a NaN loss, and changes no loss or gradient of
   * other rows. A trainer then passes NaN for replaced rows, so that other rows are not compared
   * with them.
   */
  skipsNaN?: true;
  /** Computes the mean distance between two rows of a batch, if the loss pulls rows together. */
  spread?: (yPred: Tensor) => Scalar;
  /** The loss if all rows are one point, where training is then stuck: the margin of triplets. */
  atPoint?: number;
}

/**
 * The `K` rows a selector keeps, hardest first (`smallestK`: easiest first), and the weight of
 * each. A type alias, because `tf.tidy` does not accept interfaces.
 */
export type Selection = {
  /**
   * `int32[K]`, indices of rows in the batch. `K` follows from shapes alone, so no read is needed.
   */
  indices: Tensor1D;
  /** `float32[K]`. A weight of 0 marks an unused slot: fewer than `K` rows qualified. */
  weights: Tensor1D;
  /** The kept rows of all shards, if the batch is one of several shards; omit for a whole batch. */
  threshold?: GlobalThreshold | undefined;
};

/** The largest losses of one shard of a batch, as plain data for any transport. */
export interface ShardLosses {
  /** Version of the format. */
  version: number;
  /** Index of the shard, from 0. */
  shard: number;
  /** The step of the losses. */
  step: number;
  /** Number of rows that all shards keep together. */
  k: number;
  /** Number of rows in the shard. */
  rows: number;
  /** Number of rows that are valid and have a finite loss. */
  usable: number;
  /** The `min(k, usable)` largest losses, largest first; equal ones in the order of the rows. */
  losses: Float32Array;
  /**
   * A number that differs if models differ, an integer from 0 to 2³¹ − 1; compared where known.
   */
  model?: number | undefined;
}

/**
 * The threshold between kept and other rows over all shards. A type alias, because `tf.tidy` does
 * not accept interfaces.
 */
export type GlobalThreshold = {
  /** The smallest kept loss; `Infinity` if none is kept. */
  loss: number;
  /** Number of rows each shard keeps: its hardest. */
  counts: number[];
  /** Number of rows in all shards. */
  rows: number;
};

/** Inputs of a selector beside the losses. Each selector documents what it needs. */
export interface SelectionContext {
  /** Steps taken so far; the trainer fills it in. Random selectors draw anew in each step. */
  step?: number;
  /** `[B]`, 0 = never selectable: an ignored label, padding. */
  valid?: Tensor1D;
  /** `[B]`, 1 = a positive example. */
  positive?: Tensor1D;
  /**
   * `int32[B]`, the image or class of each row; filled in with the row number if elements are
   * mined.
   */
  group?: Tensor1D;
  /** `float32[B, 4]`: y1, x1, y2, x2. */
  boxes?: Tensor2D;
  /** `float32[B]`, the irreducible loss of each row. */
  reference?: Tensor1D;
  /** `float32[B]`, the largest IoU of each row's box with an object. */
  overlap?: Tensor1D;
  /** The targets; the trainer fills them in for a model with one output. */
  yTrue?: Tensor;
  /** The predictions; the trainer fills them in for a model with one output. */
  yPred?: Tensor;
  /**
   * `float32[B, D]`, the input of the last dense layer; a trainer fills it in for a selector that
   * `needs` it.
   */
  features?: Tensor;
  /**
   * `float32[B]`, the factor of each row's loss from sample and class weights. A trainer fills it
   * in for a selector that `needs` features, unless rows are ranked by their raw losses. Default 1.
   */
  rowWeights?: Tensor1D;
  /**
   * Whether each value on the last axis of `yPred` is a label of its own, not one class among
   * several; the trainer fills it in if the loss tells. Default: only for a single value.
   */
  binary?: boolean;
  /**
   * Whether `yPred` holds logits, if the loss or the last activation tells; the trainer fills it
   * in. Selectors refuse another `fromLogits`.
   */
  logits?: boolean;
  /**
   * A number that differs if models differ, an integer from 0 to 2³¹ − 1; a trainer fills it in for
   * a selector that `needs` it.
   */
  model?: number;
  /** The current forward pass over the selector's `validation` rows; the trainer fills it in. */
  validation?: ValidationPass;
  /** The latest result of the selector's `remember`; null before the first. */
  memory?: Tensor1D | null;
  /** State of the selector's `schedule`: first `schedule.init()`, then what `next` returns. */
  schedule?: unknown;
  /**
   * The kept rows of all shards, from `thresholdOf`, if the batch is the kept rows of one shard.
   */
  threshold?: GlobalThreshold;
}

/** A forward pass over rows that are not trained on, in inference mode. */
export interface ValidationPass {
  yTrue: Tensor;
  yPred: Tensor;
  /** `float32[V, D]`, the input of the last dense layer. */
  features: Tensor;
}

/** Rows that are not trained on, in the form that a step takes. */
export interface ValidationBatch {
  xs: Tensor | Tensor[] | Record<string, Tensor>;
  ys: Tensor | Tensor[] | Record<string, Tensor>;
}

/**
 * Chooses the rows to backpropagate from their losses `float32[B]`.
 *
 * A selector is a pure function: a random draw depends only on its seed and `context.step`, so the
 * same call returns the same rows. A selection is a constant to every gradient. The selectors of
 * this library order ties as in the batch. They give weight 0 to unused slots, invalid rows, and
 * rows whose loss is not finite.
 *
 * `remember` and `schedule` are its state. A trainer carries it from step to step, and a selector
 * called without it throws. `needs` and `validation` list what a trainer must compute for it. A
 * wrapper must preserve all of them, and a `store`, as `mapSelector` does.
 */
export interface Selector {
  (losses: Tensor1D, context?: SelectionContext): Selection;
  /**
   * Computes the state to carry into the next batch. The trainer keeps it on the device and passes
   * it back as `context.memory`, null before the first step. Omit for a stateless selector.
   */
  remember?: (losses: Tensor1D, context?: SelectionContext) => Tensor1D;
  /**
   * The schedule of the keep ratio. The trainer advances its state and passes it as
   * `context.schedule`, from `schedule.init()` on. Omit for a fixed share.
   */
  schedule?: KeepSchedule;
  /**
   * State that others read too, such as a loss with a memory. It is saved with a training run,
   * restored before the run resumes, and disposed with it. Omit if `remember` and `schedule` are
   * the only state.
   */
  store?: SelectorStore;
  /**
   * Context values that the trainer computes only for this selector. `features` require a model
   * with one output that ends in a dense layer, with at most a softmax or a sigmoid after it.
   * `model` is a fingerprint of the model.
   */
  needs?: readonly ('features' | 'model')[];
  /**
   * Rows that the trainer runs forward in inference mode before each selection, for
   * `context.validation`. They stay the caller's.
   */
  validation?: ValidationBatch;
  /** Number of rows kept of every batch that has as many. Omit if it depends on the batch. */
  keepsAtLeast?: number;
  /** Whether it accepts a batch without rows: that of a shard which has none. Default false. */
  acceptsEmpty?: boolean;
}

/** State of a selector beside its memory. */
export interface SelectorStore {
  /** Reads the state as numbers; empty if there is nothing to save. */
  save(): Promise<number[]>;
  /** Restores what `save` returned. */
  restore(saved: readonly number[]): void;
  dispose(): void;
}

/**
 * A keep ratio over training, as pure functions of a state that is plain JSON and can be saved.
 *
 * A trainer starts with `init()`, and calls `ratio` before each step. After each step, the result
 * of `next` replaces the state. `next` is called with `accuracy` when the training accuracy is
 * known, usually once per epoch.
 */
export interface KeepSchedule<S = unknown> {
  init(): S;
  /** Returns the share of rows to keep, in (0, 1], after `step` steps. */
  ratio(state: S, progress: {step: number}): number;
  /** Returns the next state, without changing the given one. */
  next(state: S, seen: {step: number; accuracy?: number}): S;
}

/** Progress of a training run. */
export interface TrainingProgress {
  /** Steps taken so far, from 0. */
  step: number;
  /** The current epoch, from 0. */
  epoch: number;
  /**
   * The share of the run that is done, by steps really taken: 0 at the first step, 1 at the end.
   */
  progress: number;
}

/**
 * Computes the learning rate of a step, a finite number ≥ 0. Pure: a resumed run has the same
 * rates.
 */
export type LearningRateSchedule = (at: TrainingProgress) => number;

/** Scores of each row of a data set, by its index. */
export interface RowScores {
  /** The last loss of each row, before any weight; NaN if the row was never seen. `float32[N]`. */
  readonly losses: Float32Array;
  /**
   * 1 if the last prediction of the row was its label; for a sampler that `needs` it. `uint8[N]`.
   */
  readonly correct?: Uint8Array;
  /**
   * The largest probability in the last prediction; for a sampler that `needs` it. `float32[N]`.
   */
  readonly confidence?: Float32Array;
}

/** The rows of one epoch. */
export interface EpochRows {
  /**
   * The rows to train on, each once, in ascending order; at least one. The trainer shuffles them.
   */
  rows: Int32Array;
  /** Weight of each of `rows`, finite and ≥ 0. Omit for 1. */
  weights?: Float32Array;
  /**
   * Rows to run forward at the end of the epoch for their losses, each once, in ascending order. A
   * row that is also in `rows` then has this loss, in inference mode. Omit for none.
   */
  rescore?: Int32Array;
  /** Factor of the learning rate in this epoch. Omit for 1. */
  learningRateFactor?: number;
}

/**
 * Chooses the rows of each epoch, as pure functions of a state that can be saved. The state is
 * plain data: numbers, texts, lists, records and typed arrays. Samplers use no tensors.
 *
 * A trainer starts with `init(size)`. Before each epoch it calls `choose`, after each epoch `next`.
 */
export interface Sampler<S = unknown> {
  /** Name of the function that built it, for errors. */
  readonly samplerName: string;
  /**
   * Its options, as plain data: a saved run cannot resume with other options. Omit if there is
   * nothing to compare.
   */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Scores that `choose` and `next` read beside the losses. Omit for none. */
  readonly needs?: readonly ('correct' | 'confidence')[];
  /** Returns the state before the first epoch of a data set with `size` rows. */
  init(size: number): S;
  /**
   * Returns the rows of the epoch, without changing `state`. `epochs` is the epoch at which the run
   * ends; `scores` are a copy.
   */
  choose(state: S, at: {epoch: number; epochs: number; seed: number | string; scores: RowScores}): EpochRows;
  /**
   * Returns the state after the epoch, without changing its arguments. `chosen` is the result of
   * `choose`, cut to the rows that ran if `stepsPerEpoch` ended the epoch early. `scores` include
   * the rescored rows.
   */
  next(state: S, seen: {epoch: number; chosen: EpochRows; scores: RowScores}): S;
}

/**
 * How a classifier predicted each row of a batch, in the forward pass of the step. One number per
 * row, NaN for rows that are not valid. A type alias, because `tf.tidy` does not accept interfaces.
 */
export type RowDynamics<T> = {
  /** `z_y − max_{j≠y} z_j`, the logit of the label minus the largest other one. */
  margins: T;
  /** `p_y`, the probability of the label. */
  confidences: T;
  /** 1 if the label has the largest probability (the first of equal ones), otherwise 0. */
  correct: T;
  /** `‖p − onehot(y)‖₂`. */
  errors: T;
  /** Whether the step took the predictions for logits; a ledger compares it with its own option. */
  fromLogits?: boolean;
};

/** Kind of the predictions that dynamics are computed from. */
export interface DynamicsOptions {
  /** Whether the model returns logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
}

/** A record of the rows of a data set during training; `miningLedger` builds one. */
export interface Ledger {
  /** Number of rows it has room for. Omit for no limit. */
  readonly size?: number;
  /** Makes the trainer compute the dynamics of each batch. Omit for a ledger of losses alone. */
  readonly dynamics?: Required<DynamicsOptions> | undefined;
  /**
   * Records one batch: for each row, its index in the data set, its loss (NaN if not finite), and 1
   * if it was trained on. If the ledger needs dynamics, those of each row too.
   */
  record(rows: Int32Array, losses: Float32Array, kept: Uint8Array, dynamics?: RowDynamics<Float32Array>): void;
  /** Returns the ledger as plain JSON, to be saved with the training run. */
  toJSON(): unknown;
}

/**
 * How many rows to keep: a count, or a share of the valid rows of the batch
 * (`max(minK, round(ratio · valid rows))`, at least 1).
 */
export type Keep =
  | {
      /** Number of rows; an integer ≥ 1. A number above the batch size keeps all. */
      k: number;
      ratio?: never;
      minK?: never;
    }
  | {
      k?: never;
      /** Share of the valid rows, in (0, 1]. A short last batch keeps its proportion. */
      ratio: number;
      /** Minimum number of rows; an integer ≥ 1. */
      minK?: number;
    };

/**
 * Names of the losses that `model.compile` accepts. A misspelt one is a type error; a `string` from
 * elsewhere needs a cast.
 */
export type LossName =
  | 'binaryCrossentropy'
  | 'categoricalCrossentropy'
  | 'categoricalHinge'
  | 'cosineProximity'
  | 'hinge'
  | 'kullbackLeiblerDivergence'
  | 'logcosh'
  | 'meanAbsoluteError'
  | 'meanAbsolutePercentageError'
  | 'meanSquaredError'
  | 'meanSquaredLogarithmicError'
  | 'poisson'
  | 'sparseCategoricalCrossentropy'
  | 'squaredHinge';

/**
 * How the losses `l` of the selected rows are reduced, with `w` the weights of the selection.
 * `'mean'` = Σ w·l / Σ w (0 if Σ w is 0), `'sum'` = Σ w·l, `'batchMean'` = Σ w·l / B.
 * `'meanNonZero'` = Σ w·l / Σ_{l > 0} w (0 if no loss is over 0): the mean of the triplets that
 * violate their margin.
 */
export type Reduction = 'mean' | 'sum' | 'batchMean' | 'meanNonZero';

/** The unit of mining: the rows of a batch, or their elements (pixels, anchors, time steps). */
export type Granularity = 'sample' | 'element';
