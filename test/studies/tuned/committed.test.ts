/** @file The first steps of the committed study of tuned rates are reproduced, bit for bit. */
import '@tensorflow/tfjs-backend-wasm';
import {existsSync, readFileSync} from 'node:fs';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {loadDigits} from '../../../examples/mnist/data/load';
import type {SeedFile} from '../../../studies/command/seedFile';
import {NO_PARTS, type Shelf} from '../../../studies/kit/parts';
import type {TunedSeed} from '../../../studies/tuned/record';
import {tuned} from '../../../studies/tuned/study';
import {describeWithMnist} from '../../support/mnist';
import {ROOT} from '../../support/sources';

const PATH = `${ROOT}docs/results/tuned/seed-1.json`;
const STEPS = 3;

describeWithMnist('npm run study -- tuned --seeds 1', (folder) => {
  it.skipIf(!existsSync(PATH))('begins with the losses of the committed seed 1', async () => {
    const {content, settings} = JSON.parse(readFileSync(PATH, 'utf8')) as SeedFile<TunedSeed>;
    expect(settings).toEqual(tuned.settings(tuned.steps));
    await setBackend('wasm');
    enableWasmTraining();
    const {train, test} = await loadDigits({folder});
    // The rates of the committed sweeps, in the order in which the study looks for them.
    const sweeps = [...content.sweeps];
    const ofStudy: Shelf = {...NO_PARTS.ofStudy, find: async <Part>() => sweeps.shift() as Part};
    const digits = {train, test: {...test, count: 10}};
    const training = tuned.train(1, digits, tuned.settings(STEPS), {...NO_PARTS, ofStudy});
    let next = await training.next();
    while (!next.done) next = await training.next();
    expect(next.value.arms.map(({firstLosses}) => firstLosses)).toEqual(
      content.arms.map(({firstLosses}) => firstLosses.slice(0, STEPS)),
    );
  });
});
