import '@tensorflow/tfjs-backend-wasm';
import {memory, setBackend, train} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import type {Run} from '../../../examples/mnist/experiment/results';
import {trainRun} from '../../../examples/mnist/experiment/trainRun';
import type {Sweep} from '../../../studies/tuned/record';
import {SWEEP_SEEDS, stagesOf, sweep, sweepSteps} from '../../../studies/tuned/sweep';
import {tinyDigits} from '../../examples/mnist/experiment/tinyDigits';

const digits = tinyDigits();
/** A network that learns at all knows the digits that it was trained on. */
const judgedByItsOwn = {train: digits.train, test: digits.train};
const RUN: Run = {name: '8/4', n: 8, k: 4, rule: 'hardest'};

beforeAll(async () => {
  await setBackend('wasm');
  enableWasmTraining();
});

/** A sweep, and the shares that it yielded. */
async function swept(rates: number[], steps: number): Promise<{result: Sweep; shares: number[]}> {
  const training = sweep({optimizer: 'adam', rates, run: RUN}, judgedByItsOwn, steps);
  const shares: number[] = [];
  for (;;) {
    const {done, value} = await training.next();
    if (done) return {result: value, shares};
    shares.push(value);
  }
}

describe('sweep', () => {
  it('drops rates after an eighth and three eighths of the steps, and leaves nothing behind', async () => {
    const before = memory().numTensors;
    const {result, shares} = await swept([1e-5, 1e-4, 5e-4, 1e-3, 5e-3, 1e-2], 8);
    expect(result.stages).toEqual([1, 3, 8]);
    const lengths = result.tried.map(({accuracies}) => accuracies.length);
    expect([...lengths].sort()).toEqual([1, 1, 1, 2, 3, 3]);
    // Of each seed 6 rates for 1 step, 3 for 2 more, 2 for 5 more.
    expect(shares.at(-1)).toBeCloseTo(1, 10);
    expect(shares).toHaveLength(sweepSteps(8, 6));
    expect(sweepSteps(8, 6)).toBe(66);
    const finalists = result.tried.filter(({accuracies}) => accuracies.length === 3);
    const best = Math.max(...finalists.map(({accuracies}) => accuracies[2] as number));
    expect(finalists.find(({rate}) => rate === result.best)?.accuracies[2]).toBe(best);
    expect(memory().numTensors).toBe(before);
  });

  it('finds the rate that learns beside one that cannot', async () => {
    const {result} = await swept([1e-9, 3e-3, 1e3], 32);
    expect(result.best).toBe(3e-3);
  });

  it('judges a rate by its mean over the seeds, of which none counts that diverges', async () => {
    const {tried} = (await swept([3e-3, 1e3], 32)).result;
    const accuracies: number[] = [];
    for (const seed of SWEEP_SEEDS) {
      const settings = {steps: 32, learningRate: 3e-3, seed, backend: 'wasm' as const, runs: [RUN.name]};
      const schedule = {isMeasured: (step: number) => step === 32, isPictured: () => false};
      const variant = {schedule, step: {reduction: 'mean'} as const, optimizer: train.adam};
      for await (const {step, testAccuracy} of trainRun(RUN, judgedByItsOwn, settings, undefined, variant)) {
        if (step === 32) accuracies.push(testAccuracy);
      }
    }
    expect(new Set(accuracies).size).toBeGreaterThan(1);
    expect(tried[0]?.accuracies.at(-1)).toBeCloseTo(accuracies.reduce((sum, one) => sum + one) / 3, 12);
    expect(tried[1]?.accuracies[0]).toBeLessThan(tried[0]?.accuracies[0] as number);
  });

  it('finds the same rate again', async () => {
    expect((await swept([0.001, 0.01], 4)).result).toEqual((await swept([0.001, 0.01], 4)).result);
  });

  it('disposes every model when it is left early', async () => {
    const before = memory().numTensors;
    for await (const _ of sweep({optimizer: 'adam', rates: [0.001, 0.01], run: RUN}, digits, 8)) break;
    expect(memory().numTensors).toBe(before);
  });

  it('has fewer stages if there are fewer steps', () => {
    expect([stagesOf(1), stagesOf(2), stagesOf(1000)]).toEqual([[1], [1, 2], [125, 375, 1000]]);
    expect([sweepSteps(1, 6), sweepSteps(2, 6), sweepSteps(1000, 6), sweepSteps(8, 2)]).toEqual([18, 24, 8250, 48]);
  });
});
