/** @file The first steps of the committed reference study come out again, bit for bit. */
import '@tensorflow/tfjs-backend-wasm';
import {readFileSync} from 'node:fs';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {loadDigits} from '../../../examples/mnist/data/load';
import type {TrainAndTest} from '../../../examples/mnist/experiment/trainRun';
import type {SeedFile} from '../../../studies/command/seedFile';
import type {ArmRecord} from '../../../studies/kit/trainTogether';
import {reference} from '../../../studies/reference/study';
import {expectClose} from '../../support/close';
import {describeWithMnist} from '../../support/mnist';
import {ROOT} from '../../support/sources';

const STEPS = 5;

/** Few test digits, since it is the losses of the steps that are compared. */
async function digitsFrom(folder: string): Promise<TrainAndTest> {
  const {train, test} = await loadDigits({folder});
  return {train, test: {...test, count: 10}};
}

describeWithMnist('npm run study -- reference --seeds 1', (folder) => {
  it('begins with the losses of the committed seed 1, but for rounding', async () => {
    const committed = JSON.parse(readFileSync(`${ROOT}docs/results/reference/seed-1.json`, 'utf8'));
    const {content, settings, versions} = committed as SeedFile<ArmRecord[]>;
    expect(settings).toEqual(reference.settings(reference.steps));
    expect(versions.backend).toBe('wasm');

    await setBackend('wasm');
    enableWasmTraining();
    const training = reference.train(1, await digitsFrom(folder), reference.settings(STEPS));
    let next = await training.next();
    while (!next.done) next = await training.next();

    expect(next.value.map(({name}) => name)).toEqual(content.map(({name}) => name));
    for (const [index, {firstLosses}] of next.value.entries()) {
      expect(firstLosses).toHaveLength(STEPS);
      const committedLosses = content[index]?.firstLosses.slice(0, STEPS) ?? [];
      // A figure is summed up in double precision now.
      expectClose(firstLosses, committedLosses, {absolute: 0, relative: 1e-6});
    }
  });
});
