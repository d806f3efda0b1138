/** @file The first steps of the committed study of tuned rates are reproduced, bit for bit. */
import '@tensorflow/tfjs-backend-wasm';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {loadDigits} from '../../../examples/mnist/data/load';
import {NO_PARTS, type Shelf} from '../../../studies/kit/parts';
import type {Sweep} from '../../../studies/tuned/record';
import {tuned} from '../../../studies/tuned/study';
import {committedSeed} from '../../support/committedSeed';
import {describeWithMnist} from '../../support/mnist';

const STEPS = 3;

describeWithMnist('npm run study -- tuned --seeds 1', (folder) => {
  it('begins with the losses of the committed seed 1', async () => {
    const content = committedSeed(tuned);
    await setBackend('wasm');
    enableWasmTraining();
    const {train, test} = await loadDigits({folder});
    // The committed rates, for the sweep of a run and for the climb from it.
    const swept = new Map<string, Sweep>(
      content.sweeps.map((sweep) => [`${sweep.optimizer}-${sweep.run.replace(/\W/g, '-')}`, sweep]),
    );
    const find = async <Part>(name: string) => swept.get(name.replace(/^(sweep|climb)-/, '')) as Part | undefined;
    const ofStudy: Shelf = {...NO_PARTS.ofStudy, find};
    const digits = {train, test: {...test, count: 10}};
    const training = tuned.train(1, digits, tuned.settings(STEPS), {...NO_PARTS, ofStudy});
    let next = await training.next();
    while (!next.done) next = await training.next();
    expect(next.value.arms.map(({firstLosses}) => firstLosses)).toEqual(
      content.arms.map(({firstLosses}) => firstLosses.slice(0, STEPS)),
    );
  });
});
