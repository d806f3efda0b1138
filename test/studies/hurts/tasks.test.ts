/** @file The cases of the study: their data, the elements that they keep, their measures. */
import '@tensorflow/tfjs-backend-wasm';
import {clone, concat, memory, mul, setBackend, slice, type Tensor, zeros} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import {drawDigits} from '../../../examples/mnist/data/drawnDigits';
import {fewDigits} from '../../../studies/hurts/fewDigits';
import {nextSymbols} from '../../../studies/hurts/nextSymbols';
import {noisyDigits} from '../../../studies/hurts/noisyDigits';
import {learnerOf, type Task} from '../../../studies/hurts/task';

const digits = {train: drawDigits({count: 200, seed: 1}), test: drawDigits({count: 40, seed: 2})};

beforeAll(async () => {
  await setBackend('wasm');
  enableWasmTraining();
});

/** Uses a task, and expects that nothing of it stays. */
async function use(make: () => Task, how: (task: Task) => unknown): Promise<void> {
  const before = memory().numTensors;
  const task = make();
  try {
    await how(task);
  } finally {
    task.dispose();
  }
  expect(memory().numTensors).toBe(before);
}

/** Elements that one step of each rule keeps. */
async function keptBy(task: Task): Promise<Record<string, number>> {
  const kept: Record<string, number> = {};
  const batch = task.batchOf(0);
  for (const rule of task.rules) {
    const learner = learnerOf(task, rule);
    kept[rule.name] = await learner.step(batch);
    learner.dispose();
  }
  batch.xs.dispose();
  batch.ys.dispose();
  return kept;
}

/** A model that predicts what it is given. */
const predicting = (predict: (xs: Tensor) => Tensor) => ({predict}) as unknown as LayersModel;

describe('The autoencoder', () => {
  it('gets its input as its target, and keeps half of the rows by each rule', () =>
    use(
      () => noisyDigits(1, digits, 0.2),
      async (task) => {
        const {xs, ys} = task.batchOf(3);
        expect(await xs.data()).toEqual(await ys.data());
        xs.dispose();
        ys.dispose();
        expect(await keptBy(task)).toEqual({'all()': 100, 'topK({ratio: 0.5})': 50, 'randomK({ratio: 0.5})': 50});
      },
    ));

  it('is held against the digits without noise: who repeats the noise has its square as an error', () =>
    use(
      () => noisyDigits(1, digits, 0.5),
      (task) => {
        const {error, easyError} = task.measurer()(predicting(clone));
        expect(Math.abs((error as number) - 0.5 * 0.3 ** 2)).toBeLessThan(0.003);
        // Easy rows are those without noise.
        expect(easyError).toBe(0);
      },
    ));

  it('has less ink in its easy rows: an empty picture is nearer to them', () =>
    use(
      () => noisyDigits(1, digits, 0),
      (task) => {
        const {error, easyError} = task.measurer()(predicting((xs) => mul(xs, 0))) as {
          error: number;
          easyError: number;
        };
        expect(easyError).toBeLessThan(0.9 * error);
      },
    ));
});

describe('The classifier of few digits', () => {
  it('notes the test error when the validation loss is lowest, besides the latest', () =>
    use(
      () => fewDigits(1, digits),
      async (task) => {
        expect(await keptBy(task)).toEqual({'all()': 25, 'topK({ratio: 0.5})': 13, 'randomK({ratio: 0.5})': 13});
        const measure = task.measurer();
        const model = task.model();
        const first = measure(model);
        expect(first.bestError).toBe(first.error);
        // A probability of 0 for every class.
        const worse = measure(predicting((xs) => zeros([xs.shape[0] as number, 10])));
        expect(worse.validationLoss).toBeGreaterThan(first.validationLoss as number);
        expect([worse.bestError, worse.error]).toEqual([first.error, expect.closeTo(0.9)]);
        model.dispose();
      },
    ));
});

describe('The sequences', () => {
  it('are mined by step or as a whole, and half of them is kept', () =>
    use(
      () => nextSymbols(1),
      async (task) => {
        expect(await keptBy(task)).toEqual({
          'all()': 32 * 26,
          'topK({ratio: 0.5}), by step': 16 * 26,
          'randomK({ratio: 0.5}), by step': 16 * 26,
          'topK({ratio: 0.5}), by sequence': 16,
          'randomK({ratio: 0.5}), by sequence': 16,
        });
      },
    ));

  it('are measured where they repeat: three steps back is the right symbol there', () =>
    use(
      () => nextSymbols(1),
      (task) => {
        // The target of a step is the symbol two steps before its input.
        const repeating = predicting((xs) => {
          const [count, steps, symbols] = xs.shape as [number, number, number];
          const earlier = slice(xs, [0, 0, 0], [count, steps - 2, symbols]);
          return concat([zeros([count, 2, symbols]), earlier], 1);
        });
        const {error, loss} = task.measurer()(repeating);
        expect([error, loss]).toEqual([0, expect.closeTo(0, 5)]);
      },
    ));
});
