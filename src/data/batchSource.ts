import type {Tensor} from '@tensorflow/tfjs-core';
import type {StepTensors} from '../models/modelTensors';
import type {StepOptions} from './batchOptions';

/** A batch to train on; valid until the next one is requested. */
export interface TrainingBatch {
  xs: StepTensors;
  ys: StepTensors;
  /** Weights and context of the selector. */
  options: StepOptions;
  /** Number of rows. */
  size: number;
  /** Indices of the rows in the data set, if known. */
  rows?: Int32Array | Tensor;
}

/** Known sizes of a dataset's items. A type alias, so that it counts as plain data. */
export type ItemSizes = {
  /** Row count of the largest item so far, which is also that of a batch of chosen rows. */
  largest: number;
  /** Whether all items have the same size, except that the last one of an epoch may be smaller. */
  isEven: boolean;
};

/** Some rows of a data set. */
export interface ChosenRows {
  rows: Int32Array;
  /** Indices into `rows` in training order; undefined for the order of `rows`. */
  order?: Int32Array | undefined;
  /** Weight of each row, in addition to its sample weight; undefined for 1. */
  weights?: Float32Array | undefined;
  /** Item sizes known at the start of the epoch, so that a resumed epoch is cut alike. */
  items?: ItemSizes | undefined;
}

/** Position of a training run in its data. */
export interface Place {
  epoch: number;
  /** Epochs of earlier calls, after which the order of the rows continues. */
  earlier?: number;
  /** Number of completed batches in this epoch. */
  batch: number;
  /** Number of completed batches in all epochs. */
  step: number;
  /** Number of those completed by earlier calls, with their own data. */
  earlierSteps?: number;
}

/** Batches that are there without a wait. */
export type BatchesAtOnce = IterableIterator<TrainingBatch, undefined> & {return(): unknown};

/** The batches of an epoch; `return` ends it early. */
export type Batches = AsyncGenerator<TrainingBatch, void> | BatchesAtOnce;

/** A source of the batches of successive epochs. */
export interface BatchSource {
  /** Number of batches per epoch, if known. */
  batchesPerEpoch?: number;
  /** Number of rows per epoch, if known. */
  samples?: number;
  /** Passes the first batch to `at`, without consuming it. */
  look?(at: (batch: TrainingBatch) => void): Promise<void>;
  /** Yields the batches of an epoch from a position on, or only the chosen rows. */
  batches(from: Place, chosen?: ChosenRows): Batches;
  /** Computes the number of batches for a number of chosen rows; undefined while it is unknown. */
  batchesOf?(rows: number): number | undefined;
  /** Returns the item sizes known so far, if chosen rows are cut from items. */
  itemSizes?(): ItemSizes | undefined;
  /** Yields rows of an epoch in batches `times` as large, for a forward pass only. */
  rowsToScore?(at: Place, rows: Int32Array, times: number): Batches;
  /** Releases the source. */
  close(): Promise<void>;
}

/** The start of the data. */
export const START: Place = {epoch: 0, batch: 0, step: 0};
