/** @file The first epoch of the committed study of Ordered SGD is reproduced. */
import '@tensorflow/tfjs-backend-wasm';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {loadDigits} from '../../../examples/mnist/data/load';
import {orderedSgd} from '../../../studies/ordered/orderedSgd';
import {committedSeed} from '../../support/committedSeed';
import {describeWithMnist} from '../../support/mnist';
import {seedOf} from '../../support/studyRun';

const EPOCHS = 1;

describeWithMnist('npm run study -- ordered-sgd --seeds 1', (folder) => {
  it('begins with the errors of the committed seed 1', async () => {
    const content = committedSeed(orderedSgd);
    await setBackend('wasm');
    enableWasmTraining();
    const again = await seedOf(orderedSgd, await loadDigits({folder}), {steps: EPOCHS});
    const first = (values: number[]) => values.slice(0, EPOCHS);
    expect(again.map(({msPerStep: _, ...record}) => record)).toEqual(
      content.map(({name, testError, trainError, kept}) => ({
        ...{name, testError: first(testError), trainError: first(trainError), kept: first(kept)},
      })),
    );
  });
});
