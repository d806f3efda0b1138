import type {Scalar, Tensor, Tensor1D, Tensor2D} from '@tensorflow/tfjs-core';

/**
 * Scores every example of a batch, unreduced: `float32[B]`, or `float32[B, …]` where there is one loss for each
 * pixel, anchor or time step. The class or feature axis is gone. Like the losses of Keras it takes the truth first.
 *
 * Any function of that signature is a per-sample loss; the ones of this library are in `ohem-tfjs/losses`.
 */
export interface PerSampleLoss {
  (yTrue: Tensor, yPred: Tensor): Tensor;
  /**
   * Says which entries count: 1, or 0 for an ignored label; same shape as the loss. Absent: all of them do.
   * What does not count is never selected and is in no mean.
   */
  valid?: (yTrue: Tensor) => Tensor;
  /**
   * Says that each value of the last axis is judged by itself, as a probability of a label 0 or 1, or as its logit, and
   * that the loss is the mean over them. Omit for a loss of one class among several, or of numbers.
   */
  binary?: {fromLogits: boolean};
  /** Promises that a row's loss depends on that row alone, not on its place, others or their number. */
  rowwise?: true;
  /**
   * Promises that a row whose prediction is NaN has the loss NaN, and changes no loss and no gradient of another row. A
   * trainer then passes NaN for the rows that it replaced, which others would be compared with.
   */
  skipsNaN?: true;
  /** Computes how far two rows of a batch are apart on average, if the loss pulls rows together. */
  spread?: (yPred: Tensor) => Scalar;
  /** The loss if all rows are one point, at which it is stuck then: the margin of triplets. */
  atPoint?: number;
}

/** What a selector keeps: `K` rows of the batch, hardest first (`smallestK`: easiest first), and what each of them counts. (A type, so that `tf.tidy` takes it.) */
export type Selection = {
  /** `int32[K]`, rows of the batch. `K` is known from shapes alone, so that nothing has to be read back. */
  indices: Tensor1D;
  /** `float32[K]`; 0 = not kept after all (there were fewer rows to keep than `K`). */
  weights: Tensor1D;
  /** How many rows all shards keep, if the batch is one of several shards; omit for a whole batch. */
  threshold?: GlobalThreshold | undefined;
};

/** The largest losses of one shard of a batch, as plain data for any transport. */
export interface ShardLosses {
  /** The version of this form. */
  version: number;
  /** The place of the shard among all, from 0. */
  shard: number;
  /** The step that the losses belong to. */
  step: number;
  /** How many rows all shards keep together. */
  k: number;
  /** How many rows the shard has. */
  rows: number;
  /** How many of them are valid and have a finite loss. */
  usable: number;
  /** The `min(k, usable)` largest losses, largest first; equal ones in the order of the rows. */
  losses: Float32Array;
  /** The shapes of the weights to train, if they are known. */
  model?: string | undefined;
}

/** Where the hardest rows of all shards end. (A type, so that `tf.tidy` takes it.) */
export type GlobalThreshold = {
  /** The smallest loss that is kept; `Infinity` if none is. */
  loss: number;
  /** How many rows each shard keeps: the hardest of its own. */
  counts: number[];
  /** How many rows all shards have. */
  rows: number;
};

/** What a selector may read besides the losses. Each selector states what it needs. */
export interface SelectionContext {
  /** Steps taken so far; the trainer fills it in. Random selectors draw anew for each. */
  step?: number;
  /** `[B]`, 0 = never selectable: an ignored label, padding. */
  valid?: Tensor1D;
  /** `[B]`, 1 = a positive example. */
  positive?: Tensor1D;
  /** `int32[B]`, the image or class of each row; filled in with rows if elements are mined. */
  group?: Tensor1D;
  /** `float32[B, 4]`: y1, x1, y2, x2. */
  boxes?: Tensor2D;
  /** `float32[B]`, the irreducible loss of each row. */
  reference?: Tensor1D;
  /** `float32[B]`, the largest IoU of each row's box with an object. */
  overlap?: Tensor1D;
  /** The truth; the trainer fills it in for a model with one output. */
  yTrue?: Tensor;
  /** The prediction; the trainer fills it in for a model with one output. */
  yPred?: Tensor;
  /**
   * `float32[B, D]`, the input of the last dense layer; a trainer fills it in for a selector that
   * `needs` it.
   */
  features?: Tensor;
  /**
   * `float32[B]`, the factor of each row's loss from sample and class weights; a trainer fills it
   * in for a selector that `needs` features, unless rows are ranked by their raw losses. Default 1.
   */
  rowWeights?: Tensor1D;
  /** The `validation` of the selector as the model sees it now; the trainer fills it in. */
  validation?: ValidationPass;
  /** The latest result of the selector's `remember`; null = nothing remembered yet. */
  memory?: Tensor1D | null;
  /** State of the selector's `schedule`: first `schedule.init()`, then what `next` returns. */
  schedule?: unknown;
  /** How many rows all shards keep, from `thresholdOf`, if the batch is the kept rows of one shard. */
  threshold?: GlobalThreshold;
}

/** A forward pass over rows that are not trained on, in inference mode. */
export interface ValidationPass {
  yTrue: Tensor;
  yPred: Tensor;
  /** `float32[V, D]`, the input of the last dense layer. */
  features: Tensor;
}

/** Rows that are not trained on, as a step takes them. */
export interface ValidationBatch {
  xs: Tensor | Tensor[] | Record<string, Tensor>;
  ys: Tensor | Tensor[] | Record<string, Tensor>;
}

/**
 * Chooses the rows to backpropagate from their losses `float32[B]`.
 *
 * A selector is a pure function: a random draw depends on its seed and on `context.step`, so the
 * same call gives the same rows. A selection is a constant to every gradient. The selectors of this
 * library take ties in the order of the batch, and give weight 0 to unused places and to rows that
 * are not valid or whose loss is not finite.
 *
 * `remember` and `schedule` are its state. A trainer carries it from step to step, and a selector
 * called without it throws. `needs` and `validation` say what a trainer has to compute for it. A
 * wrapper has to keep all of them, and a `store`, as `mapSelector` does.
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
   * State that others read too, such as a loss with a memory: saved with a training run, restored before the run goes
   * on, and disposed with it. Omit if `remember` and `schedule` are all there is.
   */
  store?: SelectorStore;
  /**
   * What `context` must have beside the losses, and the trainer computes for this selector alone:
   * the `features`, of a model with one output that ends in a dense layer.
   */
  needs?: readonly 'features'[];
  /**
   * Rows that the trainer runs forward in inference mode before each choice, for
   * `context.validation`. They stay the caller's.
   */
  validation?: ValidationBatch;
}

/** State of a selector beside what it remembers. */
export interface SelectorStore {
  /** Reads the state as numbers; none if there is nothing to save. */
  save(): Promise<number[]>;
  /** Restores what `save` returned. */
  restore(saved: readonly number[]): void;
  dispose(): void;
}

/**
 * A keep ratio over training, as pure functions of a state that is plain JSON, so that it can be saved and resumed.
 *
 * A trainer starts with `init()`, asks for the `ratio` of each step, and replaces the state by what `next` makes of it: after each
 * step, and with `accuracy` where it has come to know that of the training data, usually once an epoch.
 */
export interface KeepSchedule<S = unknown> {
  init(): S;
  /** The share of rows to keep, in (0, 1], with `step` steps taken so far. */
  ratio(state: S, progress: {step: number}): number;
  /** The state to go on with; never changes the one it is given. */
  next(state: S, seen: {step: number; accuracy?: number}): S;
}

/** How far a training run has come. */
export interface TrainingProgress {
  /** Steps taken so far, from 0. */
  step: number;
  /** The current epoch, from 0. */
  epoch: number;
  /** The share of the run that is done, by steps really taken: 0 at the first step, 1 at the end. */
  progress: number;
}

/** Computes the learning rate of a step, a finite number ≥ 0. Pure: a resumed run has the same rates. */
export type LearningRateSchedule = (at: TrainingProgress) => number;

/** What is known of each row of a data set, by its index. */
export interface RowScores {
  /** The last loss of each row, before any weight; NaN if the row was never seen. `float32[N]`. */
  readonly losses: Float32Array;
  /** 1 if the last prediction of the row had its label as the largest; for a sampler that `needs` it. `uint8[N]`. */
  readonly correct?: Uint8Array;
  /** The largest probability of the last prediction; for a sampler that `needs` it. `float32[N]`. */
  readonly confidence?: Float32Array;
}

/** The rows of one epoch. */
export interface EpochRows {
  /** The rows to train on, each once, in ascending order; at least one. The trainer shuffles them. */
  rows: Int32Array;
  /** A weight for each of `rows`, finite and ≥ 0. Omit for 1. */
  weights?: Float32Array;
  /** Rows to run forward at the end of the epoch, to know their losses; in ascending order. Omit for none. */
  rescore?: Int32Array;
  /** A factor of the learning rate in this epoch. Omit for 1. */
  learningRateFactor?: number;
}

/**
 * Which rows of a data set an epoch trains on, as pure functions of a state that is plain data, so that it
 * can be saved and resumed: numbers, texts, lists, records and typed arrays. Knows no tensors.
 *
 * A trainer starts with `init(size)`. Before each epoch it calls `choose`, after each epoch `next`.
 */
export interface Sampler<S = unknown> {
  /** The name of the function that built it, for errors. */
  readonly samplerName: string;
  /**
   * What it was built with, as plain data: a saved run is not resumed with other options. Omit if there
   * is nothing to compare.
   */
  readonly options?: Readonly<Record<string, unknown>>;
  /** What `choose` and `next` read beside the losses. Omit for nothing. */
  readonly needs?: readonly ('correct' | 'confidence')[];
  /** The state before the first epoch of a data set with `size` rows. */
  init(size: number): S;
  /**
   * The rows of the epoch. `epochs` is the epoch at which the run ends, and `scores` are a copy; never
   * changes `state`.
   */
  choose(state: S, at: {epoch: number; epochs: number; seed: number | string; scores: RowScores}): EpochRows;
  /**
   * The state after the epoch. `chosen` is what `choose` returned for it, with only those of its rows
   * that ran if `stepsPerEpoch` cut the epoch short, and `scores` include what was rescored; never
   * changes what it is given.
   */
  next(state: S, seen: {epoch: number; chosen: EpochRows; scores: RowScores}): S;
}

/**
 * How a classifier predicted each row of a batch, in the forward pass of the step: a number for each row. NaN for a row
 * that is not valid. (A type alias, because `tf.tidy` does not accept interfaces.)
 */
export type RowDynamics<T> = {
  /** `z_y − max_{j≠y} z_j`, the logit of the label less the largest other one. */
  margins: T;
  /** `p_y`, the probability of the label. */
  confidences: T;
  /** 1 if the label has the largest probability, the first of equal ones; 0 if not. */
  correct: T;
  /** `‖p − onehot(y)‖₂`. */
  errors: T;
  /** Whether the step took the predictions for logits; a ledger compares it with its own option. */
  fromLogits?: boolean;
};

/** What the predictions are that dynamics are computed from. */
export interface DynamicsOptions {
  /** Whether the model returns logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
}

/** What keeps account of the rows of a data set while they are trained on; `miningLedger` builds one. */
export interface Ledger {
  /** Rows of the data set, where it has room for so many only. */
  readonly size?: number;
  /** Asks the trainer for the dynamics of each batch. Omit for a ledger of losses alone. */
  readonly dynamics?: Required<DynamicsOptions> | undefined;
  /**
   * Enters a batch: for each of its rows the row of the data set that it is, its loss (NaN where not finite), and 1 if it was learned from;
   * and the dynamics, if the ledger asks for them.
   */
  record(rows: Int32Array, losses: Float32Array, kept: Uint8Array, dynamics?: RowDynamics<Float32Array>): void;
  /** All of it as plain JSON, to be saved with the training. */
  toJSON(): unknown;
}

/** How many rows to keep: a count, or a share of the valid rows of the batch (`max(minK, round(ratio · valid rows))`, at least 1). */
export type Keep =
  | {
      /** How many rows; an integer ≥ 1. More than there are means all of them. */
      k: number;
      ratio?: never;
      minK?: never;
    }
  | {
      k?: never;
      /** Share of the valid rows, in (0, 1]. A short last batch keeps its proportion. */
      ratio: number;
      /** Keep at least so many; an integer ≥ 1. */
      minK?: number;
    };

/**
 * The names of the losses that `model.compile` takes. A misspelt one is a type error; a `string` from
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
 * How the losses `l` of the selected rows become one number, with `w` the weights of the selection:
 * `'mean'` = Σ w·l / Σ w (0 where Σ w is 0), `'sum'` = Σ w·l, `'batchMean'` = Σ w·l / B,
 * `'meanNonZero'` = Σ w·l / Σ_{l > 0} w (0 where no loss is over 0): the mean of the triplets that violate their margin.
 */
export type Reduction = 'mean' | 'sum' | 'batchMean' | 'meanNonZero';

/** What is mined: the rows of a batch, or the elements in them one by one (pixels, anchors, time steps). */
export type Granularity = 'sample' | 'element';
