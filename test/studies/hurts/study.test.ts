import '@tensorflow/tfjs-backend-wasm';
import {memory, setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import {drawDigits} from '../../../examples/mnist/data/drawnDigits';
import type {HurtsRecord} from '../../../studies/hurts/record';
import {hurts} from '../../../studies/hurts/study';
import {seedOf} from '../../support/studyRun';

const digits = {train: drawDigits({count: 60, seed: 1}), test: drawDigits({count: 20, seed: 2})};

beforeAll(async () => {
  await setBackend('wasm');
  enableWasmTraining();
});

const withoutTimes = (records: HurtsRecord[]) =>
  records.map(({task, rules}) => ({task, rules: rules.map(({msPerStep: _, ...record}) => record)}));

describe('The study of what hurts', () => {
  it('measures the same numbers again, and others for another seed, in each case', async () => {
    const [once, again, other] = [
      withoutTimes(await seedOf(hurts, digits, {steps: 2})),
      withoutTimes(await seedOf(hurts, digits, {steps: 2})),
      withoutTimes(await seedOf(hurts, digits, {steps: 2, seed: 2})),
    ];
    expect(again).toEqual(once);
    for (const [place, {rules}] of other.entries()) {
      expect(rules[0]?.quality).not.toEqual(once[place]?.rules[0]?.quality);
    }
  });

  it('disposes what it made when it is left in the middle of a case', async () => {
    const before = memory().numTensors;
    let turns = 0;
    for await (const _ of hurts.train(1, digits, hurts.settings(2))) if (++turns === 4) break;
    expect(memory().numTensors).toBe(before);
  });
});
