import {argMax, type Tensor, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import type {Digits} from '../data/digits';
import {imagesOf} from './batches';

/** For which class the model's output is largest, for each of some rows. */
export async function guesses(model: LayersModel, digits: Digits, rows: ArrayLike<number>): Promise<Int32Array> {
  const classes = tidy(() => argMax(model.predictOnBatch(imagesOf(digits, rows)) as Tensor, 1));
  try {
    return await classes.data<'int32'>();
  } finally {
    classes.dispose();
  }
}
