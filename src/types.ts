import type {Tensor, Tensor1D, Tensor2D} from '@tensorflow/tfjs-core';

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
}

/** What a selector keeps: `K` rows of the batch, hardest first (`smallestK`: easiest first), and what each of them counts. (A type, so that `tf.tidy` takes it.) */
export type Selection = {
  /** `int32[K]`, rows of the batch. `K` is known from shapes alone, so that nothing has to be read back. */
  indices: Tensor1D;
  /** `float32[K]`; 0 = not kept after all (there were fewer rows to keep than `K`). */
  weights: Tensor1D;
};

/** What a selector may look at beside the losses; everything is optional, and each selector says what it needs. */
export interface SelectionContext {
  /** Steps taken so far; filled in by the trainer. Random selectors draw afresh for each. */
  step?: number;
  /** `[B]`, 0 = never selectable: an ignored label, padding. */
  valid?: Tensor1D;
  /** `[B]`, 1 = a positive example. */
  positive?: Tensor1D;
  /** `int32[B]`, the image (or class) that a row belongs to; where elements are mined, filled in by the trainer with the row of each. */
  group?: Tensor1D;
  /** `float32[B, 4]`: y1, x1, y2, x2. */
  boxes?: Tensor2D;
  /** `float32[B]`, the irreducible loss of each row. */
  reference?: Tensor1D;
  /** What was to be predicted; filled in by the trainer where the model has one output. */
  yTrue?: Tensor;
  /** What was predicted; filled in by the trainer where the model has one output. */
  yPred?: Tensor;
  /** What the selector remembered of earlier batches; filled in by the trainer. */
  memory?: Tensor1D | null;
  /** State of the schedule of a `scheduled` selector, plain JSON; without it a schedule is at its beginning. */
  schedule?: unknown;
}

/**
 * Chooses which rows are backpropagated, from their losses `float32[B]`.
 *
 * A selector is a pure function: what it draws at random depends on its seed and on `context.step`, so that asking
 * twice gives the same answer. Nothing flows back through it.
 */
export interface Selector {
  (losses: Tensor1D, context?: SelectionContext): Selection;
  /**
   * What it wants to know of this batch when it is asked about the next one: the trainer keeps it on the device, and hands it over as
   * `context.memory`. Absent: a selector that goes by the batch alone.
   */
  remember?: (losses: Tensor1D, context?: SelectionContext) => Tensor1D;
  /** What its keep ratio follows: the trainer threads the state of it, and hands that over as `context.schedule`. Absent: it keeps the same share throughout. */
  schedule?: KeepSchedule;
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

/** What keeps account of the rows of a data set while they are trained on; `miningLedger` builds one. */
export interface Ledger {
  /** Rows of the data set, where it has room for so many only. */
  readonly size?: number;
  /** Enters a batch: for each of its rows the row of the data set that it is, its loss (NaN where not finite), and 1 if it was learned from. */
  record(rows: Int32Array, losses: Float32Array, kept: Uint8Array): void;
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
 * How the losses `l` of the selected rows become one number, with `w` the weights of the selection:
 * `'mean'` = Σ w·l / Σ w (0 where Σ w is 0), `'sum'` = Σ w·l, `'batchMean'` = Σ w·l / B.
 */
export type Reduction = 'mean' | 'sum' | 'batchMean';

/** What is mined: the rows of a batch, or the elements in them one by one (pixels, anchors, time steps). */
export type Granularity = 'sample' | 'element';
