import * as tf from '@tensorflow/tfjs-core';
import {topK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';

describeOnBackends('smoke', () => {
  it('runs', async () => {
    const {indices} = topK({k: 3})(tf.tensor1d([1, 5, 2, 9, 5, 3]));
    expect([...(await indices.data())]).toEqual([3, 1, 4]);
  });
});
