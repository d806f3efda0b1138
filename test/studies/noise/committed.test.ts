/** @file The first epochs of the committed studies of wrong labels are reproduced. */
import '@tensorflow/tfjs-backend-wasm';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {loadDigits} from '../../../examples/mnist/data/load';
import {noise, noiseRules} from '../../../studies/noise/study';
import {committedSeed} from '../../support/committedSeed';
import {describeWithMnist} from '../../support/mnist';
import {seedOf} from '../../support/studyRun';

const EPOCHS = 2;

describeWithMnist('npm run study -- noise-rules --seeds 1', (folder) => {
  it('has the accuracy of the committed seed 1 after two epochs, and keeps the same wrong labels', async () => {
    const content = committedSeed(noiseRules);
    await setBackend('wasm');
    enableWasmTraining();
    const again = await seedOf(noiseRules, await loadDigits({folder}), {steps: EPOCHS});
    expect(again.map(({rule}) => rule)).toEqual(content.map(({rule}) => rule));
    for (const [place, {measuredAt, testAccuracy, wrongAmongKept}] of again.entries()) {
      expect(measuredAt).toEqual([EPOCHS]);
      expect(testAccuracy[0]).toBe(content[place]?.testAccuracy[0]);
      expect(wrongAmongKept?.[0]).toBe(content[place]?.wrongAmongKept?.[0]);
    }
  });
});

describeWithMnist('npm run study -- noise --seeds 1', (folder) => {
  it('has the accuracy of the committed seed 1 after an epoch', async () => {
    const content = committedSeed(noise);
    await setBackend('wasm');
    enableWasmTraining();
    const again = await seedOf(noise, await loadDigits({folder}), {steps: 1});
    expect(again).toEqual(
      content.map(({rule, flipped, testAccuracy}) => ({
        ...{rule, flipped, measuredAt: [1], testAccuracy: testAccuracy.slice(0, 1)},
      })),
    );
  });
});
