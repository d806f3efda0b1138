import '@tensorflow/tfjs-backend-wasm';
import {memory, setBackend, train} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import type {Run} from '../../../examples/mnist/experiment/results';
import {trainRun} from '../../../examples/mnist/experiment/trainRun';
import type {Sweep} from '../../../studies/tuned/record';
import {climb, climbSteps, SWEEP_SEEDS, stagesOf, sweep, sweepSteps} from '../../../studies/tuned/sweep';
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
  return whole(sweep({optimizer: 'adam', rates, run: RUN}, judgedByItsOwn, steps));
}

/** Runs a sweep or a climb to its end, and collects the shares that it yields. */
async function whole(training: AsyncGenerator<number, Sweep, undefined>): Promise<{result: Sweep; shares: number[]}> {
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

describe('climb', () => {
  const RATES = [1e-4, 1e-3, 3e-3, 1e-2, 3e-2];
  const STEPS = 16;
  /** Each rate alone, trained for all steps. */
  const alone = async () => {
    const accuracies: number[] = [];
    for (const rate of RATES)
      accuracies.push((await swept([rate], STEPS)).result.tried[0]?.accuracies.at(-1) as number);
    return accuracies;
  };
  /** A sweep that has dropped all rates but one. */
  const dropped = (place: number, atEnd: number): Sweep => ({
    ...{optimizer: 'adam', run: RUN.name, stages: stagesOf(STEPS), best: RATES[place] as number},
    tried: RATES.map((rate, other) => ({rate, accuracies: other === place ? [0, 0, atEnd] : [0]})),
  });
  const climbed = (from: Sweep) => whole(climb(from, RUN, judgedByItsOwn, STEPS));

  it('trains neighbours of the best rate until both are worse, whichever rate the sweep left', async () => {
    const before = memory().numTensors;
    const accuracies = await alone();
    for (const place of RATES.keys()) {
      const from = dropped(place, accuracies[place] as number);
      const {result, shares} = await climbed(from);
      const at = RATES.indexOf(result.best);
      expect(accuracies[at]).toBeGreaterThanOrEqual(Math.max(accuracies[at - 1] ?? 0, accuracies[at + 1] ?? 0));
      for (const [other, {accuracies: found}] of result.tried.entries()) {
        // What was trained for all steps is what the rate alone has, and the rest is as it was.
        if (found.length === 3) expect(found[2]).toBe(accuracies[other]);
        else expect(found).toEqual(from.tried[other]?.accuracies);
      }
      const trained = result.tried.filter(({accuracies: found}) => found.length === 3).length - 1;
      expect(trained).toBeGreaterThanOrEqual(1);
      expect(shares.length).toBe(trained * climbSteps(STEPS));
      expect(shares.at(-1)).toBeCloseTo(1, 10);
      expect(from.tried.filter(({accuracies: found}) => found.length === 3)).toHaveLength(1);
    }
    expect(memory().numTensors).toBe(before);
  });

  it('changes nothing if both neighbours were trained for all steps', async () => {
    const all = (await swept([1e-3, 3e-3], STEPS)).result;
    const {result, shares} = await climbed(all);
    expect([result, shares]).toEqual([all, []]);
  });

  it('disposes every model when it is left early', async () => {
    const before = memory().numTensors;
    for await (const _ of climb(dropped(2, 0.5), RUN, digits, STEPS)) break;
    expect(memory().numTensors).toBe(before);
  });
});
