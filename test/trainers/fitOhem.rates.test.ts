import * as tf from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {
  cosine,
  type FitOhemArgs,
  fitOhem,
  fitOhemDataset,
  type LearningRateSchedule,
  meanSquaredError,
  oneCycle,
  topK,
} from 'ohem-tfjs';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';

const EXACT = {absolute: 1e-12, relative: 0};

function build(): LayersModel {
  const kernelInitializer = {className: 'GlorotNormal', config: {seed: 1}} as never;
  return sequential({layers: [layers.dense({units: 1, inputShape: [3], kernelInitializer})]});
}

const x = () => tf.randomNormal([20, 3], 0, 1, 'float32', 5) as tf.Tensor2D;
const y = () => tf.randomNormal([20, 1], 0, 1, 'float32', 6);
const weightsIn = (model: LayersModel) => model.getWeights().flatMap((weight) => [...weight.dataSync()]);

describeOnBackends('fitOhem', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const options = (more: FitOhemArgs = {}): FitOhemArgs => ({
    ...{loss: meanSquaredError(), select: topK({ratio: 0.5}), optimizer: tf.train.sgd(7), verbose: 0, seed: 1},
    ...{batchSize: 4, epochs: 2, ...more},
  });

  describe('with a learning rate', () => {
    it('sets it before each step, by the share of the run that is done, and logs it', async () => {
      const seen: Parameters<LearningRateSchedule>[0][] = [];
      const logged: number[] = [];
      const optimizer = tf.train.sgd(7) as tf.SGDOptimizer & {learningRate: number};
      const learningRate: LearningRateSchedule = (at) => {
        seen.push(at);
        return 0.1 * (1 - at.progress);
      };
      const callbacks = {
        onBatchEnd: (_: number, logs?: {learningRate?: number}) => void logged.push(logs?.learningRate ?? 0),
      };
      const {history} = await fitOhem(build(), x(), y(), options({optimizer, learningRate, callbacks}));
      expect(seen.map(({step}) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(seen.map(({epoch}) => epoch)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
      expectClose(
        seen.map(({progress}) => progress),
        [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
        EXACT,
      );
      expectClose(
        logged,
        seen.map(({progress}) => 0.1 * (1 - progress)),
        EXACT,
      );
      expectClose(history.learningRate ?? [], [0.06, 0.01], EXACT);
      expect(optimizer.learningRate).toBeCloseTo(0.01, 10);
    });

    it.each(['sgd', 'momentum', 'adam', 'adamax', 'rmsprop', 'adagrad', 'adadelta'] as const)(
      'trains by it as an optimizer that is built with it, %s',
      async (name) => {
        const make = (rate: number) => (name === 'momentum' ? tf.train.momentum(rate, 0.9) : tf.train[name](rate));
        const [given, built] = [build(), build()];
        await fitOhem(given, x(), y(), options({optimizer: make(7), learningRate: 0.02}));
        await fitOhem(built, x(), y(), options({optimizer: make(0.02)}));
        expectClose(weightsIn(given), weightsIn(built), {absolute: 1e-7, relative: 1e-6});
      },
    );

    it('continues with the rates of an undisturbed run, to the bit', async () => {
      const args = {learningRate: oneCycle({max: 0.1}), epochs: 3};
      const [whole, stopped] = [build(), build()];
      await fitOhem(whole, x(), y(), options({...args, optimizer: tf.train.momentum(1, 0.9)}));
      const optimizer = tf.train.momentum(1, 0.9);
      const controller = new AbortController();
      let batches = 0;
      const callbacks = {onBatchEnd: () => void (++batches === 7 && controller.abort())};
      const {state} = await fitOhem(
        stopped,
        x(),
        y(),
        options({...args, optimizer, callbacks, signal: controller.signal}),
      );
      const initialState = JSON.parse(JSON.stringify(state));
      await fitOhem(stopped, x(), y(), options({...args, optimizer, initialState}));
      expect(weightsIn(stopped)).toEqual(weightsIn(whole));
    });

    it('counts steps that are taken: accumulated batches make one', async () => {
      const steps: number[] = [];
      const learningRate: LearningRateSchedule = ({step}) => {
        steps.push(step);
        return 0.1;
      };
      await fitOhem(build(), x(), y(), options({learningRate, accumulate: 2, epochs: 1}));
      expect(steps).toEqual([0, 1, 2]);
    });

    it('ends at the end for a dataset of unknown length too, from its second epoch on', async () => {
      const seen: number[] = [];
      const learningRate: LearningRateSchedule = ({progress}) => {
        seen.push(progress);
        return 0.1;
      };
      const batches = () => [0, 4, 8, 12].map((first) => ({xs: tf.slice(x(), first, 4), ys: tf.slice(y(), first, 4)}));
      const {loss, select, optimizer} = options();
      await fitOhemDataset(build(), batches, {
        ...{loss: loss ?? null, select: select ?? null, optimizer: optimizer ?? null},
        ...{learningRate, epochs: 2, verbose: 0},
      });
      expectClose(seen, [0, 0, 0, 0, 0.5, 0.625, 0.75, 0.875], EXACT);
    });

    it.each([
      [() => Number.NaN, 'fitOhem: learningRate must return a finite number >= 0, got NaN.'],
      [() => -0.1, 'fitOhem: learningRate must return a finite number >= 0, got -0.1.'],
      [(): number => '0.1' as never, "fitOhem: learningRate must return a finite number >= 0, got '0.1'."],
      [-1, 'fitOhem: learningRate must be a finite number >= 0, got -1.'],
      ['0.1' as never, 'fitOhem: learningRate must be a number or a function of {step, epoch, progress}, got 0.1.'],
    ])('refuses %s before anything changes', async (learningRate, message) => {
      const model = build();
      const before = weightsIn(model);
      await expect(fitOhem(model, x(), y(), options({learningRate}))).rejects.toThrow(message);
      expect(weightsIn(model)).toEqual(before);
    });

    it('says so if a single epoch of unknown length gives a schedule no progress', async () => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      try {
        const batches = () => [{xs: tf.slice(x(), 0, 4), ys: tf.slice(y(), 0, 4)}];
        const args = {
          loss: meanSquaredError(),
          optimizer: tf.train.sgd(0.1),
          verbose: 0,
          learningRate: () => 0.1,
        } as const;
        await fitOhemDataset(build(), batches, args);
        await fitOhemDataset(build(), batches, {...args, epochs: 2});
        await fitOhemDataset(build(), batches(), args);
        expect(warn.mock.calls).toEqual([
          [expect.stringContaining('fitOhemDataset: learningRate gets progress 0 in each step')],
        ]);
      } finally {
        warn.mockRestore();
      }
    });

    it('refuses an optimizer without a rate', async () => {
      const optimizer = Object.assign(tf.train.sgd(1), {setLearningRate: undefined, learningRate: undefined});
      await expect(
        fitOhem(build(), x(), y(), options({optimizer: optimizer as never, learningRate: cosine({from: 1})})),
      ).rejects.toThrow('fitOhem: optimizer must have a learning rate that can be set, got SGD.');
    });
  });

  describe('with a budget', () => {
    it.each([
      ['rows', {rows: 24}, 6],
      ['backwardRows', {backwardRows: 7}, 4],
      ['rows, if these are reached first', {rows: 9, backwardRows: 100}, 3],
    ])('ends after the step that reaches it: %s', async (_, budget, steps) => {
      const {state, history} = await fitOhem(build(), x(), y(), options({budget, epochs: 50, learningRate: 0.01}));
      expect(state.step).toBe(steps);
      expect(history.kept?.reduce((sum, kept) => sum + kept, 0)).toBe(2 * steps);
    });

    it('ends a schedule at its end', async () => {
      const seen: number[] = [];
      const learningRate: LearningRateSchedule = ({progress}) => {
        seen.push(progress);
        return 0.1;
      };
      await fitOhem(build(), x(), y(), options({budget: {backwardRows: 8}, epochs: 50, learningRate}));
      expectClose(seen, [0, 0.25, 0.5, 0.75], EXACT);
    });

    it('counts seconds, and keeps counting when it is resumed', async () => {
      const {state} = await fitOhem(build(), x(), y(), options({budget: {seconds: 1e-6}, epochs: 50}));
      expect(state.step).toBe(1);
      expect(state.spent.seconds).toBeGreaterThan(0);
      const budget = {rows: 12};
      const optimizer = tf.train.sgd(0.01);
      const model = build();
      const first = await fitOhem(model, x(), y(), options({optimizer, epochs: 1, budget: {rows: 8}}));
      const second = await fitOhem(model, x(), y(), options({optimizer, epochs: 9, budget, initialState: first.state}));
      expect(second.state.step).toBe(3);
    });

    it.each([
      [{rows: 0}, 'fitOhem: budget.rows must be a finite number > 0, got 0.'],
      [{seconds: Number.NaN}, 'fitOhem: budget.seconds must be a finite number > 0, got NaN.'],
      [
        {row: 3},
        "fitOhem: budget: options must have the names rows, backwardRows, seconds, got row. Did you mean 'rows'?",
      ],
      [7, 'fitOhem: budget must be a record {rows, backwardRows, seconds}, got 7.'],
    ])('refuses %j', async (budget, message) => {
      await expect(fitOhem(build(), x(), y(), options({budget: budget as never}))).rejects.toThrow(message);
    });
  });
});
