import {memory, tensor1d, tensor2d, tidy, zeros} from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import type {Digits} from '../../../../examples/mnist/data/digits';
import {referenceModel} from '../../../../examples/mnist/experiment/model';
import {testAccuracy} from '../../../../examples/mnist/experiment/testAccuracy';
import {describeOnBackends} from '../../../support/backends';

/** Digits whose label can be read off their first pixel: white for 3, black for 5. */
function blackAndWhite(count: number, wrong: number): Digits {
  const images = new Uint8Array(count * 784);
  const labels = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    images[row * 784] = row % 2 === 0 ? 255 : 0;
    labels[row] = row < wrong ? 8 : row % 2 === 0 ? 3 : 5;
  }
  return {count, images, labels};
}

describeOnBackends('testAccuracy', (backend) => {
  it('is the share of right answers, over as many chunks as it takes, and leaves no tensor', async () => {
    const model = referenceModel(1);
    tidy(() => {
      const first = new Float32Array(784 * 1024);
      first[0] = 20;
      const second = new Float32Array(1024 * 10);
      second[3] = 20;
      const bias = new Float32Array(10);
      bias[5] = 15;
      model.setWeights([tensor2d(first, [784, 1024]), zeros([1024]), tensor2d(second, [1024, 10]), tensor1d(bias)]);
    });
    const before = memory().numTensors;
    // More than one chunk takes the plain backend some seconds.
    expect(await testAccuracy(model, blackAndWhite(backend === 'wasm' ? 1010 : 10, 0))).toBe(1);
    expect(await testAccuracy(model, blackAndWhite(8, 2))).toBe(0.75);
    expect(memory().numTensors).toBe(before);
    model.dispose();
  });
});
