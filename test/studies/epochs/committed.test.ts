/** @file The first epochs of the committed studies of epochs are reproduced, bit for bit. */
import '@tensorflow/tfjs-backend-wasm';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {describe, expect, it} from 'vitest';
import {loadDigits} from '../../../examples/mnist/data/load';
import type {TrainAndTest} from '../../../examples/mnist/experiment/trainRun';
import {NO_DIGITS} from '../../../studies/command/redraw';
import type {EpochsRecord} from '../../../studies/epochs/record';
import {epochs, epochsMails} from '../../../studies/epochs/study';
import type {Study} from '../../../studies/kit/study';
import {committedSeed} from '../../support/committedSeed';
import {describeWithMnist} from '../../support/mnist';
import {seedOf} from '../../support/studyRun';

/** Both are measured every two epochs. */
const EPOCHS = 2;

/** What two epochs of a rule reach, with no wrong labels; again, and as committed. */
async function beginnings(study: Study<EpochsRecord[]>, digits: TrainAndTest, rules: string[]) {
  const content = committedSeed(study);
  await setBackend('wasm');
  enableWasmTraining();
  const again = await seedOf(study, digits, {steps: study.steps, until: EPOCHS, flipped: [0], rules});
  expect(again.map(({rule}) => rule)).toEqual(rules);
  const begun = ({rule, forward, backward, testError, hardError}: EpochsRecord) => ({
    ...{rule, forward: forward[0], backward: backward[0], testError: testError[0], hardError: hardError?.[0]},
  });
  const then = content.filter(({rule, flipped}) => flipped === 0 && rules.includes(rule));
  return [again.map(begun), then.map(begun)];
}

describeWithMnist('npm run study -- epochs --seeds 1', (folder) => {
  it('has the errors of the committed seed 1 after two epochs', async () => {
    const [again, then] = await beginnings(epochs, await loadDigits({folder}), ['infoBatch()']);
    expect(again).toEqual(then);
  });
});

describe('npm run study -- epochs-mails --seeds 1', () => {
  it('has the errors of the committed seed 1 after two epochs', async () => {
    const rules = ['full', 'infoBatch()', 'kakurenbo()', 'topK({ratio: 0.5})'];
    const [again, then] = await beginnings(epochsMails, NO_DIGITS, rules);
    expect(again).toEqual(then);
  });
});
