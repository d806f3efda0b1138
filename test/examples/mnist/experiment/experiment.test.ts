import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import {memory, setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import {type ExperimentState, runExperiment} from '../../../../examples/mnist/experiment/experiment';
import type {RunResult} from '../../../../examples/mnist/experiment/results';
import {decodeCheckpoint, encodeCheckpoint} from '../../../../examples/mnist/node/checkpoint';
import {tinyDigits, tinySettings} from './tinyDigits';

const digits = tinyDigits();
const settings = tinySettings({backend: 'wasm', steps: 4, runs: ['16/8', '32/8', '16/8 random']});

/** What a killed process leaves: the state as its checkpoint has it. */
function throughCheckpoint(state: ExperimentState): ExperimentState {
  const data = {source: 'drawn', description: 'digits', trainCount: 40, testCount: 20} as const;
  const text = encodeCheckpoint({settings, data, request: {}, fingerprint: '', state});
  return decodeCheckpoint(text, 'checkpoint.json').state;
}

/** Stops after a number of steps in all, or at the end. */
async function experiment(from?: ExperimentState, stopAfter = Number.POSITIVE_INFINITY) {
  let results: RunResult[] = from?.finished ?? [];
  let state = from;
  let taken = 0;
  for await (const progress of runExperiment(digits, settings, from)) {
    results = progress.results;
    expect(results).toHaveLength(progress.index + 1);
    if (++taken === stopAfter) {
      state = throughCheckpoint(await progress.state());
      break;
    }
  }
  return {results, state, taken};
}

const curves = (results: RunResult[]) => results.map(({msPerStep: _, ...rest}) => rest);

describe('runExperiment', () => {
  let whole: RunResult[];
  beforeAll(async () => {
    enableWasmTraining();
    await setBackend('wasm');
    whole = (await experiment()).results;
  });

  it('takes the runs one after the other', () => {
    expect(whole.map(({name, steps}) => [name, steps])).toEqual([
      ['16/8', [1, 2, 3, 4]],
      ['32/8', [1, 2, 3, 4]],
      ['16/8 random', [1, 2, 3, 4]],
    ]);
  });

  it('gives every run the same first weights', () => {
    expect(new Set(whole.map(({testAccuracy}) => testAccuracy[0]?.accuracy)).size).toBe(1);
  });

  it.each([1, 3, 4, 5, 8, 10])('ends with the same curves when it was stopped after %i steps', async (step) => {
    const {state} = await experiment(undefined, step);
    expect(state?.finished).toHaveLength(Math.floor(step / 4));
    expect(state?.current?.result.steps.length).toBe(step % 4 || undefined);
    const {results, taken} = await experiment(state);
    expect(taken).toBe(12 - step);
    expect(curves(results)).toStrictEqual(curves(whole));
  });

  it('has nothing left to do when it was over', async () => {
    const {state} = await experiment(undefined, 12);
    expect(state?.finished).toHaveLength(3);
    const {results, taken} = await experiment(state);
    expect(taken).toBe(0);
    expect(curves(results)).toStrictEqual(curves(whole));
  });

  it('survives being stopped again and again', async () => {
    let state: ExperimentState | undefined;
    for (let part = 0; part < 6; part++) ({state} = await experiment(state, 2));
    expect(curves(state?.finished ?? [])).toStrictEqual(curves(whole));
  });

  it('leaves no tensor, also when its loop is left', async () => {
    const before = memory().numTensors;
    await experiment(undefined, 6);
    expect(memory().numTensors).toBe(before);
  });

  it('rejects runs that are none', async () => {
    await expect(runExperiment(digits, {...settings, runs: ['8/16']}).next()).rejects.toThrow(
      new RangeError('runExperiment: settings.runs must have k from 1 to n, got 8/16.'),
    );
  });
});
