/** @file The first measures of the committed study of pairs are reproduced, by each miner. */
import '@tensorflow/tfjs-backend-wasm';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {loadDigits} from '../../../examples/mnist/data/load';
import type {PairsRecord} from '../../../studies/pairs/record';
import {pairs} from '../../../studies/pairs/study';
import {expectClose} from '../../support/close';
import {committedSeed} from '../../support/committedSeed';
import {describeWithMnist} from '../../support/mnist';
import {seedOf} from '../../support/studyRun';

/** The committed study measures before the first step, and then after as many. */
const STEPS = 50;
/** The digits that are measured fastest. */
const TASK = 'unseen digits';

const measuresOf = (record: PairsRecord, at: number) => [
  record.meanAveragePrecisionAtR.at(at) as number,
  record.spread.at(at) as number,
  record.loss.at(at) as number,
];

describeWithMnist('npm run study -- pairs --seeds 1', (folder) => {
  it('has the measures of the committed seed 1 before the first step, and after fifty', async () => {
    const content = committedSeed(pairs).filter(({digits}) => digits === TASK);
    await setBackend('wasm');
    enableWasmTraining();
    const again = await seedOf(pairs, await loadDigits({folder}), {steps: STEPS, tasks: [TASK]});
    expect(again.map(({name, digits}) => [name, digits])).toEqual(content.map(({name, digits}) => [name, digits]));
    for (const [place, record] of again.entries()) {
      const then = content[place] as PairsRecord;
      expect([record.measuredAt.at(-1), then.measuredAt[1]]).toEqual([STEPS, STEPS]);
      expect([record.recallAt1[0], record.recallAt1.at(-1)]).toEqual(then.recallAt1.slice(0, 2));
      expect(measuresOf(record, 0)).toEqual(measuresOf(then, 0));
      if (record.name !== 'batch-hard') expect(measuresOf(record, -1)).toEqual(measuresOf(then, 1));
      // Its embeddings collapse, and distances of close rows are computed from differences now.
      else expectClose(measuresOf(record, -1), measuresOf(then, 1), {absolute: 0, relative: 1e-6});
    }
  });
});
