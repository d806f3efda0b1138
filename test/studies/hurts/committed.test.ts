/** @file The first steps of the committed seed 1 are reproduced, in each case of the study. */
import '@tensorflow/tfjs-backend-wasm';
import {readFileSync} from 'node:fs';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {loadDigits} from '../../../examples/mnist/data/load';
import type {SeedFile} from '../../../studies/command/seedFile';
import type {HurtsRecord} from '../../../studies/hurts/record';
import {hurts} from '../../../studies/hurts/study';
import {describeWithMnist} from '../../support/mnist';
import {ROOT} from '../../support/sources';
import {seedOf} from '../../support/studyRun';

/** The digits of the autoencoder are measured after 100 steps, the other cases before. */
const STEPS = 100;

describeWithMnist('npm run study -- hurts --seeds 1', (folder) => {
  it('has the measures of the committed seed 1 for a hundred steps', async () => {
    const committed = JSON.parse(readFileSync(`${ROOT}docs/results/hurts/seed-1.json`, 'utf8'));
    const {content, settings} = committed as SeedFile<HurtsRecord[]>;
    expect(settings).toEqual(hurts.settings(hurts.steps));
    await setBackend('wasm');
    enableWasmTraining();
    const again = await seedOf(hurts, await loadDigits({folder}), {steps: STEPS, noisyShares: [0.5]});
    // One autoencoder is as good as three.
    expect(again.map(({task}) => task)).toEqual(content.slice(2).map(({task}) => task));
    for (const [place, {rules}] of again.entries()) {
      for (const [rule, {name, measuredAt, quality}] of rules.entries()) {
        const then = content[2 + place]?.rules[rule];
        expect(name).toBe(then?.name);
        expect(quality[0]).toEqual(then?.quality[0]);
        expect(measuredAt[0]).toBe(then?.measuredAt[0]);
      }
    }
  }, 240_000);
});
