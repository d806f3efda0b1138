/** @file The first accuracy of the committed study of rules is reproduced, bit for bit. */
import '@tensorflow/tfjs-backend-wasm';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {loadDigits} from '../../../examples/mnist/data/load';
import {rules} from '../../../studies/rules/study';
import {committedSeed} from '../../support/committedSeed';
import {describeWithMnist} from '../../support/mnist';
import {seedOf} from '../../support/studyRun';

/** The accuracy is measured every 50 steps. */
const STEPS = 50;
/** One that draws no rows, and one that draws and weights them. */
const RULES = ['topK({k: 384})', 'importanceSampling({k: 384, seed})'];

describeWithMnist('npm run study -- rules --seeds 1', (folder) => {
  it('has the accuracy of the committed seed 1 after fifty steps', async () => {
    const content = committedSeed(rules);
    await setBackend('wasm');
    enableWasmTraining();
    const again = await seedOf(rules, await loadDigits({folder}), {steps: STEPS, rules: RULES});
    expect(again.map(({name}) => name)).toEqual(RULES);
    for (const {name, measuredAt, testAccuracy} of again) {
      const then = content.find((rule) => rule.name === name);
      expect(measuredAt).toEqual([0, STEPS]);
      // Not the losses: a figure is summed up in double precision now.
      expect(testAccuracy).toEqual(then?.testAccuracy.slice(0, 2));
    }
  });
});
