import {memory} from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import type {RunResult} from '../../../../examples/mnist/experiment/results';
import {parseRuns} from '../../../../examples/mnist/experiment/runs';
import {type RunProgress, type RunState, trainRun} from '../../../../examples/mnist/experiment/trainRun';
import {describeOnBackends} from '../../../support/backends';
import {itIf} from '../../../support/itIf';
import {tinyDigits, tinySettings} from './tinyDigits';

const digits = tinyDigits();

interface TrainOptions {
  run?: string;
  steps?: number;
  seed?: number;
  learningRate?: number;
  from?: RunState;
  onStep?: (progress: RunProgress) => unknown;
}

/** Trains a run to its end. */
async function trained({run: name = '8/4', from, onStep, ...settings}: TrainOptions = {}): Promise<RunResult> {
  const [run] = parseRuns(name);
  let result: RunResult | undefined;
  for await (const progress of trainRun(run as never, digits, tinySettings(settings), from)) {
    result = progress.result;
    await onStep?.(progress);
  }
  return result as RunResult;
}

/** Trains a run to a step and gives the state there. */
async function stoppedAfter(step: number, options: TrainOptions): Promise<RunState> {
  const [run] = parseRuns(options.run ?? '8/4');
  for await (const progress of trainRun(run as never, digits, tinySettings(options))) {
    if (progress.step === step) return progress.state();
  }
  throw new Error('it never came so far');
}

/** All but the time, which is never the same. */
const curves = ({msPerStep: _, ...rest}: RunResult) => rest;

describeOnBackends('trainRun', (backend) => {
  // What no backend has a say in is tried on the quick one.
  const quickly = itIf(backend === 'wasm');

  it('learns', async () => {
    const {selectedLoss, batchLoss} = await trained({run: '40/40', steps: 6, learningRate: 0.002});
    expect(selectedLoss.at(-1)).toBeLessThan(0.96 * (selectedLoss[0] as number));
    selectedLoss.forEach((loss, index) => {
      expect(loss).toBeCloseTo(batchLoss[index] as number, 5);
    });
  });

  it('yields after every step, with figures of that step', async () => {
    const seen: number[][] = [];
    const result = await trained({
      steps: 3,
      onStep: ({step, selectedLoss, testAccuracy, msPerStep, result}) => {
        expect(result.steps).toHaveLength(step);
        expect(testAccuracy).toBe(result.testAccuracy.at(-1)?.accuracy);
        expect(msPerStep).toBeGreaterThan(0);
        seen.push([step, selectedLoss]);
      },
    });
    expect(result).toMatchObject({name: '8/4', n: 8, k: 4, rule: 'hardest', steps: [1, 2, 3]});
    expect(seen).toEqual(result.steps.map((step, index) => [step, result.selectedLoss[index]]));
    expect(result.testAccuracy.map(({step}) => step)).toEqual([0, 1, 2, 3]);
    expect(result.msPerStep).toBeGreaterThan(0);
  });

  quickly('backpropagates the hardest rows: their mean loss is above that of the batch', async () => {
    const {selectedLoss, batchLoss} = await trained({steps: 3});
    selectedLoss.forEach((loss, index) => {
      expect(loss).toBeGreaterThan(batchLoss[index] as number);
    });
  });

  it('counts all n losses and the k selected ones', async () => {
    const {histograms} = await trained({steps: 2});
    expect(histograms.map(({step}) => step)).toEqual([1, 2]);
    for (const {batch, selected} of histograms) {
      expect(batch.reduce((total, count) => total + count)).toBe(8);
      expect(selected.reduce((total, count) => total + count)).toBe(4);
      // The selected ones are among all.
      selected.forEach((count, bin) => {
        expect(count).toBeLessThanOrEqual(batch[bin] as number);
      });
    }
  });

  it('shows the batch of a step, and what the network makes of digits', async () => {
    await trained({
      run: '8/3',
      steps: 2,
      onStep: async ({batch, guesses, result, strategy, why}) => {
        const {rows, losses, kept} = await batch();
        expect([rows.length, losses.length, kept.length]).toEqual([8, 8, 8]);
        const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b) / values.length;
        expect(mean(losses)).toBeCloseTo(result.batchLoss.at(-1) as number, 5);
        expect(mean(losses.filter((_, place) => kept[place]))).toBeCloseTo(result.selectedLoss.at(-1) as number, 5);
        // The three hardest, read more than once.
        expect(Math.min(...losses.filter((_, place) => kept[place]))).toBeGreaterThanOrEqual(
          Math.max(...losses.filter((_, place) => !kept[place])),
        );
        expect((await batch()).losses).toEqual(losses);
        expect((await guesses([0, 5])).length).toBe(2);
        expect(['pruned', 'masked', 'recompute']).toContain(strategy);
        expect(why).not.toBe('');
      },
    });
  });

  it.each(backend === 'wasm' ? ['8/4', '8/4 random'] : ['8/4 random'])(
    'gives the same curves twice: %s',
    async (run) => {
      expect(curves(await trained({run, steps: 3}))).toEqual(curves(await trained({run, steps: 3})));
    },
  );

  quickly('gives other curves for another seed', async () => {
    const one = await trained({steps: 2, seed: 1});
    const other = await trained({steps: 2, seed: 2});
    expect(one.selectedLoss).not.toEqual(other.selectedLoss);
  });

  quickly('starts every run with the same weights and the same rows', async () => {
    const [hardest, random] = [await trained({steps: 1}), await trained({run: '8/4 random', steps: 1})];
    expect(hardest.batchLoss).toEqual(random.batchLoss);
    expect(hardest.testAccuracy[0]).toEqual(random.testAccuracy[0]);
  });

  it.each(backend === 'wasm' ? ['8/4', '8/4 random'] : ['8/4 random'])(
    'resumes from a state as if it had never stopped: %s',
    async (run) => {
      const whole = await trained({run, steps: 5});
      const state = await stoppedAfter(3, {run, steps: 5});
      expect(state.stepTimes).toHaveLength(3);
      const resumed = await trained({run, steps: 5, from: state});
      expect(curves(resumed)).toStrictEqual(curves(whole));
      // The state can be used once more.
      expect(state.result.steps).toHaveLength(3);
    },
  );

  quickly('has nothing left to do from the state of its last step', async () => {
    const state = await stoppedAfter(2, {steps: 2});
    expect(await trained({steps: 2, from: state})).toBeUndefined();
  });

  it('leaks nothing over steps, states and runs, also when it is left early', async () => {
    await trained({steps: 1});
    const before = memory().numTensors;
    const counts = new Set<number>();
    await trained({
      steps: 3,
      onStep: async ({state}) => {
        await state();
        counts.add(memory().numTensors);
      },
    });
    await stoppedAfter(1, {steps: 3});
    expect(counts.size).toBe(1);
    expect(memory().numTensors).toBe(before);
  });

  it('ends with an error when no loss is finite, and cleans up', async () => {
    const before = memory().numTensors;
    await expect(trained({learningRate: 1e38, steps: 5})).rejects.toThrow(
      /^trainRun: losses must stay finite, got none that is at step \d of 8\/4\.$/,
    );
    expect(memory().numTensors).toBe(before);
  });
});
