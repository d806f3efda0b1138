/** @file The first measures of the committed study of detection are reproduced, of one rule. */
import '@tensorflow/tfjs-backend-wasm';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {loadDigits} from '../../../examples/mnist/data/load';
import {detection} from '../../../studies/detection/study';
import {committedSeed} from '../../support/committedSeed';
import {describeWithMnist} from '../../support/mnist';
import {seedOf} from '../../support/studyRun';

/** After as many the committed study measures first. */
const STEPS = 500;
const RULE = 'hardNegatives 3 : 1';

describeWithMnist('npm run study -- detection --seeds 1', (folder) => {
  it('has the first measures of the committed seed 1', async () => {
    const then = committedSeed(detection).rules.find(({name}) => name === RULE);
    await setBackend('wasm');
    enableWasmTraining();
    const {rules} = await seedOf(detection, await loadDigits({folder}), {steps: STEPS, rules: [RULE]});
    expect(rules.map(({msPerStep: _, ...record}) => record)).toEqual([
      {name: RULE, measuredAt: [STEPS], quality: then?.quality.slice(0, 1), kept: then?.kept.slice(0, 1)},
    ]);
  }, 240_000);
});
