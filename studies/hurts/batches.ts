import {gather, type Tensor, tensor1d, tidy} from '@tensorflow/tfjs-core';
import {rowStream} from '../../examples/mnist/experiment/batches';

export interface Batch {
  xs: Tensor;
  ys: Tensor;
}

/** Returns a function that makes the batch of a step; every epoch shuffles the rows. */
export function batchesOf({xs, ys}: Batch, batchSize: number, seed: number): (step: number) => Batch {
  const stream = rowStream(xs.shape[0] as number, seed);
  return (step) =>
    tidy(() => {
      const rows = tensor1d(Int32Array.from(stream.rowsAt(step * batchSize, batchSize)), 'int32');
      return {xs: gather(xs, rows), ys: gather(ys, rows)};
    });
}
