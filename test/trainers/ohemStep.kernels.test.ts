import {enableProdMode, env, setBackend} from '@tensorflow/tfjs-core';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {computing, kernelCounts, mostFrequent} from '../../bench/kernelCounts';
import {smallModels} from '../../bench/smallModels';
import {compareSteps} from '../../bench/smallSteps';
import '../support/backends';
import {trainsOn} from '../support/wasmTraining';

describe('a step of ohemStep that mines half of a batch', () => {
  trainsOn('wasm');
  beforeAll(async () => {
    enableProdMode();
    await setBackend('wasm');
  });
  afterAll(() => env().set('PROD', false));

  it.each(smallModels('2-8-2', '4-16-16-3', '784-128-10', 'CNN 16-32', 'LSTM 32'))(
    'runs no more kernels that compute than trainOnBatch: $name',
    async (small) => {
      const {mined, stock} = await compareSteps(small, kernelCounts);
      expect(computing(mined), mostFrequent(mined, 8)).toBeLessThanOrEqual(computing(stock));
    },
  );
});
