/** @file The first accuracy of the committed study of cost is reproduced, bit for bit. */
import '@tensorflow/tfjs-backend-wasm';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {loadDigits} from '../../../examples/mnist/data/load';
import {cost} from '../../../studies/cost/study';
import {committedSeed} from '../../support/committedSeed';
import {describeWithMnist} from '../../support/mnist';
import {seedOf} from '../../support/studyRun';

/** The accuracy is measured every 20 steps. */
const STEPS = 20;
/** Each way to compute the gradient. */
const ARMS = ['512/384 masked', '512/384 recompute', '512/384 pruned'];

describeWithMnist('npm run study -- cost --seeds 1', (folder) => {
  it('has the accuracy of the committed seed 1 after twenty steps, however gradients are computed', async () => {
    const content = committedSeed(cost);
    await setBackend('wasm');
    enableWasmTraining();
    const again = await seedOf(cost, await loadDigits({folder}), {steps: STEPS, arms: ARMS});
    expect(again.map(({name}) => name)).toEqual(ARMS);
    for (const {name, measuredAt, testAccuracy} of again) {
      const then = content.find((arm) => arm.name === name);
      expect(measuredAt).toEqual([0, STEPS]);
      // Not the losses: a figure is summed up in double precision now.
      expect(testAccuracy).toEqual(then?.testAccuracy.slice(0, 2));
    }
  });
});
