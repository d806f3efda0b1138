import {concat, dispose, type Tensor1D} from '@tensorflow/tfjs-core';

/** Reads tensors in one read, disposes them, and returns a part for each. */
export async function readTogether(tensors: Tensor1D[]): Promise<Float32Array[]> {
  const sizes = tensors.map(({size}) => size);
  let together: Tensor1D;
  try {
    together = concat(tensors);
  } finally {
    dispose(tensors);
  }
  try {
    const values = await together.data<'float32'>();
    let end = 0;
    return sizes.map((size) => {
      end += size;
      return values.subarray(end - size, end);
    });
  } finally {
    together.dispose();
  }
}
