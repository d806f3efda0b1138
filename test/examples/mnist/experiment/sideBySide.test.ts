import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import {memory, setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import {runExperiment} from '../../../../examples/mnist/experiment/experiment';
import type {RunResult} from '../../../../examples/mnist/experiment/results';
import {type SideBySideProgress, sideBySide} from '../../../../examples/mnist/experiment/sideBySide';
import {tinyDigits, tinySettings} from './tinyDigits';

const digits = tinyDigits();
const settings = tinySettings({runs: ['8/4', '16/8', '8/4 random'], steps: 3});
const curves = ({msPerStep: _, ...rest}: RunResult) => rest;

describe('sideBySide', () => {
  beforeAll(async () => {
    enableWasmTraining();
    await setBackend('wasm');
  });

  it('takes a step of each run in turn', async () => {
    const seen: [number, number][] = [];
    for await (const {index, step} of sideBySide(digits, settings)) seen.push([index, step]);
    expect(seen).toEqual([1, 2, 3].flatMap((step) => [0, 1, 2].map((index) => [index, step])));
  });

  it('gives the curves that the runs have one after the other', async () => {
    const together: RunResult[] = [];
    for await (const {index, result} of sideBySide(digits, settings)) together[index] = result;
    let inTurn: RunResult[] = [];
    for await (const {results} of runExperiment(digits, settings)) inTurn = results;
    expect(together.map(curves)).toEqual(inTurn.map(curves));
  });

  it('resumes from states, first with the run that is behind', async () => {
    const whole: RunResult[] = [];
    for await (const {index, result} of sideBySide(digits, settings)) whole[index] = result;
    const latest: SideBySideProgress[] = [];
    const states = [];
    for await (const progress of sideBySide(digits, settings)) {
      latest[progress.index] = progress;
      if (progress.index === 1 && progress.step === 2) {
        for (const each of latest) states.push(await each.state());
        break;
      }
    }
    const seen: number[] = [];
    const resumed: RunResult[] = [];
    for await (const {index, result} of sideBySide(digits, settings, states)) {
      seen.push(index);
      resumed[index] = result;
    }
    expect(seen).toEqual([2, 0, 1, 2]);
    expect(resumed.map(curves)).toEqual(whole.map(curves));
  });

  it('has nothing left to do from the states of the last step', async () => {
    const states = [];
    for await (const {step, index, state} of sideBySide(digits, settings))
      if (step === 3) states[index] = await state();
    const again = sideBySide(digits, settings, states);
    expect((await again.next()).done).toBe(true);
  });

  it('keeps what every run offers until the loop is left, and nothing after', async () => {
    const before = memory().numTensors;
    const latest: SideBySideProgress[] = [];
    for await (const progress of sideBySide(digits, settings)) {
      latest[progress.index] = progress;
      if (progress.index === 2 && progress.step === 3) {
        const batches = await Promise.all(latest.map(({batch}) => batch()));
        expect(batches.map(({rows}) => rows.length)).toEqual([8, 16, 8]);
        break;
      }
    }
    expect(memory().numTensors).toBe(before);
  });
});
