import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {clone, dispose, matMul, type Tensor2D, tensor, transpose} from '@tensorflow/tfjs-core';
import {describe, expect, it} from 'vitest';
import {EXACT, expectNothingLeft, expectSameAsCpu, random, trainOnWasm} from './sameAsCpu';

describe('Clones on wasm', () => {
  trainOnWasm();

  it('have the numbers, the shape and the type of what they were made of', async () => {
    for (const x of [[1.5, -2, 3.25], [[1, 2]], 7]) {
      for (const dtype of ['float32', 'int32'] as const) {
        await expectSameAsCpu(() => clone(tensor(x, undefined, dtype)), {tolerance: EXACT});
      }
    }
    expect(clone(tensor(['a', 'b'])).dataSync()).toEqual(['a', 'b']);
  });

  it('share the memory of what they were made of, and outlive it', () => {
    expectNothingLeft(() => {
      const x = random([40, 50], 1);
      const copy = clone(x);
      expect(copy.dataId).toBe(x.dataId);
      const expected = x.dataSync().slice();
      x.dispose();
      expect(copy.dataSync()).toEqual(expected);
      copy.dispose();
    });
  });

  it('are right as factors of products, after others of the same memory', async () => {
    await expectSameAsCpu(() => {
      const [x, y] = [random([6, 6], 1), random([6, 6], 2)] as Tensor2D[] as [Tensor2D, Tensor2D];
      const [first, second] = [matMul(x, y), matMul(x, clone(y))];
      dispose(first);
      return matMul(transpose(second), clone(y));
    });
  });
});
