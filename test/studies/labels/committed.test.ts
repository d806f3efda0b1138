/** @file The first accuracies of the committed study of labels are reproduced, bit for bit. */
import '@tensorflow/tfjs-backend-wasm';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {loadDigits} from '../../../examples/mnist/data/load';
import {labels} from '../../../studies/labels/study';
import {TEACHING_PROTOCOL} from '../../../studies/labels/teaching';
import {committedSeed} from '../../support/committedSeed';
import {describeWithMnist} from '../../support/mnist';
import {seedOf} from '../../support/studyRun';

describeWithMnist('npm run study -- labels --seeds 1', (folder) => {
  it('has the accuracies of the committed seed 1 after an epoch with half of the labels wrong', async () => {
    const {teaching: content} = committedSeed(labels);
    await setBackend('wasm');
    enableWasmTraining();
    const {teaching: again} = await seedOf(labels, await loadDigits({folder}), {
      steps: 1,
      // No finders, each of which takes runs of ten epochs before its first number.
      flipped: [],
      // As many epochs as half of those of the committed study.
      teaching: {...TEACHING_PROTOCOL, rampShare: TEACHING_PROTOCOL.rampShare * labels.steps},
    });
    expect(again).toEqual(
      content.map(({name, testAccuracy}) => ({name, measuredAt: [1], testAccuracy: testAccuracy.slice(0, 1)})),
    );
  });
});
