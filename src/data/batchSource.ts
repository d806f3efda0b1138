import type {Tensor} from '@tensorflow/tfjs-core';
import type {StepTensors} from '../models/modelTensors';
import type {StepOptions} from './batchOptions';

/** A batch to train on; it lives until the next one is asked for. */
export interface TrainingBatch {
  xs: StepTensors;
  ys: StepTensors;
  /** Weights, and what a selector looks at. */
  options: StepOptions;
  /** How many rows it has. */
  size: number;
  /** Which rows of the dataset they are, where that is known. */
  rows?: Int32Array | Tensor;
}

/** What is known of the items of a dataset. (A type, so that it is plain data.) */
export type ItemSizes = {
  /** The rows of the largest one so far: a batch of chosen rows has as many. */
  largest: number;
  /** Whether no other item is smaller than the last one of an epoch may be. */
  isEven: boolean;
};

/** Some rows of a data set. */
export interface ChosenRows {
  rows: Int32Array;
  /** Places in `rows`, in the order in which they are to come; undefined for the order of `rows`. */
  order?: Int32Array | undefined;
  /** What each of them counts, beside its sample weight; undefined for 1. */
  weights?: Float32Array | undefined;
  /** What was known of the items when the epoch began, so that it is cut alike if it is resumed. */
  items?: ItemSizes | undefined;
}

/** Where a training stands in its data. */
export interface Place {
  epoch: number;
  /** Epochs of earlier calls, which the order of the rows goes on from. */
  earlier?: number;
  /** Batches of this epoch that are done. */
  batch: number;
  /** Batches of all epochs that are done. */
  step: number;
  /** Those of them that earlier calls did, with data of their own. */
  earlierSteps?: number;
}

/** Something that gives the batches of one epoch after the other. */
export interface BatchSource {
  /** Batches of an epoch, where that is known. */
  batchesPerEpoch?: number;
  /** Rows of an epoch, where that is known. */
  samples?: number;
  /** Shows the first batch, without taking it from what `batches` gives. */
  look?(at: (batch: TrainingBatch) => void): Promise<void>;
  /** The batches of an epoch, from a place in it on; of the chosen rows alone if there are any. */
  batches(from: Place, chosen?: ChosenRows): AsyncGenerator<TrainingBatch, void>;
  /** How many batches `batches` gives of so many chosen rows; undefined as long as that is not known. */
  batchesOf?(rows: number): number | undefined;
  /** What is known of its items by now, if chosen rows are put together from them. */
  itemSizes?(): ItemSizes | undefined;
  /** Some rows of an epoch in batches that are so many times as large, to be run forward only. */
  rowsToScore?(at: Place, rows: Int32Array, times: number): AsyncGenerator<TrainingBatch, void>;
  /** Ends the use of the source. */
  close(): Promise<void>;
}

/** The beginning of the data. */
export const START: Place = {epoch: 0, batch: 0, step: 0};
