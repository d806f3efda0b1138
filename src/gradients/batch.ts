import type {Tensor, Tensor1D} from '@tensorflow/tfjs-core';
import {takeRows} from './rows';

/** What a step knows of each of its rows; every tensor has the rows on its first axis. */
export type Batch = {
  xs: Tensor[];
  ys: Tensor[];
  /** `float32[B]` for each output: what a row's loss counts, sample weight · class weight. Empty: 1 each. */
  rowWeights: Tensor1D[];
};

/** The rows of everything that a batch consists of. */
export function takeBatchRows({xs, ys, rowWeights}: Batch, rows: Tensor1D): Batch {
  const take = <T extends Tensor>(tensors: T[]) => tensors.map((tensor) => takeRows(tensor, rows));
  return {xs: take(xs), ys: take(ys), rowWeights: take(rowWeights)};
}
