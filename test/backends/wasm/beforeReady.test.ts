import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import {conv2d, getKernel, grads, matMul, setBackend, sum, type Tensor4D, tidy} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {describe, expect, it} from 'vitest';
import {expectSameAsCpu, random} from './sameAsCpu';

// A file of its own: no backend has been set up when it is run.
describe('enableWasmTraining before the backend is ready', () => {
  const disable = enableWasmTraining();

  it('enables training once it is', async () => {
    await setBackend('wasm');
    const [x, filter] = [random([2, 5, 5, 2], 1), random([2, 2, 2, 3], 2)];
    const gradients = tidy(() =>
      grads((images, kernel) => sum(conv2d(images as Tensor4D, kernel as Tensor4D, 1, 'valid')))([x, filter]),
    );
    expect(gradients.map(({shape}) => shape)).toEqual([x.shape, filter.shape]);
    await expectSameAsCpu(() => matMul(random([3, 4], 1), random([3, 5], 2), true));
  });

  it('leaves stock kernels that work when it is undone', async () => {
    disable();
    expect(getKernel('Conv2DBackpropFilter', 'wasm')).toBeUndefined();
    await expectSameAsCpu(() => matMul(random([3, 4], 1), random([3, 5], 2), true));
  });
});
