import * as tf from '@tensorflow/tfjs-core';
import {type LayersModel, layers, regularizers, sequential} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  aboveThreshold,
  all,
  categoricalCrossentropy,
  fitOhem,
  linear,
  meanSquaredError,
  type OhemStepOptions,
  ohemStep,
  type Reduction,
  randomK,
  scheduled,
  topK,
} from 'ohem-tfjs';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {describeOnBackends, describeOnDevice} from '../support/backends';
import {expectClose} from '../support/close';

const CLOSE = {absolute: 1e-6, relative: 1e-6};
const FEATURES = 5;

function mlp(): LayersModel {
  const seeded = (seed: number) => ({kernelInitializer: {className: 'GlorotNormal', config: {seed}} as never});
  const kernelRegularizer = regularizers.l2({l2: 0.1});
  const model = sequential({
    layers: [
      layers.dense({units: 7, activation: 'tanh', inputShape: [FEATURES], kernelRegularizer, ...seeded(1)}),
      layers.dense({units: 3, activation: 'softmax', ...seeded(2)}),
    ],
  });
  return model;
}

const data = (rows: number, seed = 3): [tf.Tensor2D, tf.Tensor] => [
  tf.randomNormal([rows, FEATURES], 0, 1, 'float32', seed),
  tf.oneHot(tf.tensor1d(Int32Array.from({length: rows}, (_, row) => (row * 7 + 1) % 3)), 3),
];

const weightsIn = (model: LayersModel) => tf.tidy(() => model.getWeights().flatMap((weight) => [...weight.dataSync()]));

/** Splits a batch into parts of these sizes. */
function parts<T extends tf.Tensor>(tensor: T, sizes: readonly number[]): T[] {
  return sizes.map((size, i) => {
    const first = sizes.slice(0, i).reduce((sum, before) => sum + before, 0);
    return tf.slice(tensor, first, size);
  });
}

function specification(): void {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const whole = (sizes: readonly number[], options: OhemStepOptions, batchOptions: object[] = []) => {
    const rows = sizes.reduce((sum, size) => sum + size, 0);
    const [x, y] = data(rows);
    const model = mlp();
    const step = ohemStep(model, {loss: categoricalCrossentropy(), ...options});
    const [xs, ys] = [parts(x, sizes), parts(y, sizes)];
    const reports = xs.map((part, i) => step(part, ys[i] as tf.Tensor, batchOptions[i]));
    return {model, step, reports};
  };

  const REDUCTIONS: readonly Reduction[] = ['mean', 'sum', 'batchMean', 'meanNonZero'];

  describe('accumulate', () => {
    it.each(REDUCTIONS)('makes one update of several batches, as if they were one, with %s', (reduction) => {
      const sizes = [6, 4, 8];
      const options = {select: all(), reduction, clipNorm: 0.5} as const;
      const together = whole([18], {...options, optimizer: tf.train.adam(0.05)});
      const apart = whole(sizes, {...options, optimizer: tf.train.adam(0.05), accumulate: 3});
      expectClose(weightsIn(apart.model), weightsIn(together.model), CLOSE);
    });

    it.each(['auto', 'masked', 'recompute'] as const)(
      'mines each batch by itself, by Σ w·∇l over all / Σ w, %s',
      (backward) => {
        const sizes = [6, 4, 8];
        const options = {select: topK({ratio: 0.5}), optimizer: tf.train.sgd(0.3), backward};
        const {model, reports} = whole(sizes, {...options, accumulate: 3});
        const reference = mlp();
        const [x, y] = data(18);
        const kept = reports.flatMap(({selection}, i) => {
          const first = sizes.slice(0, i).reduce((sum, size) => sum + size, 0);
          return [...selection.indices.dataSync()].map((row) => row + first);
        });
        expect(kept).toHaveLength(9);
        const rows = tf.tensor1d(kept, 'int32');
        const optimizer = tf.train.sgd(0.3);
        optimizer.minimize(() => {
          const losses = categoricalCrossentropy()(
            tf.gather(y, rows),
            reference.apply(tf.gather(x, rows), {training: true}) as tf.Tensor,
          );
          return tf.add(tf.mean(losses), tf.addN(reference.calculateLosses())) as tf.Scalar;
        });
        expectClose(weightsIn(model), weightsIn(reference), CLOSE);
      },
    );

    it('changes no weight before the last batch, and continues with the next ones', () => {
      const {model, step} = whole([4, 4], {select: all(), optimizer: tf.train.sgd(0.1), accumulate: 3});
      const before = weightsIn(mlp());
      expect(weightsIn(model)).toEqual(before);
      const [x, y] = data(4, 9);
      step(x, y);
      const after = weightsIn(model);
      expect(after).not.toEqual(before);
      step(x, y);
      expect(weightsIn(model)).toEqual(after);
    });

    it('leaves out a batch that is not sound, and takes the others', () => {
      const [x, y] = data(8);
      const nothing = tf.fill([4, FEATURES], Number.NaN);
      const build = () => {
        const model = mlp();
        return {model, options: {loss: categoricalCrossentropy(), select: all(), optimizer: tf.train.sgd(0.1)}};
      };
      const [alone, among] = [build(), build()];
      ohemStep(alone.model, alone.options)(x, y);
      const step = ohemStep(among.model, {...among.options, accumulate: 3});
      step(tf.slice(x, 0, 4), tf.slice(y, 0, 4));
      step(nothing, tf.slice(y, 0, 4));
      step(tf.slice(x, 4, 4), tf.slice(y, 4, 4));
      expectClose(weightsIn(among.model), weightsIn(alone.model), CLOSE);
    });

    it('holds as many tensors as there are weights, and disposes them', () => {
      const model = mlp();
      const optimizer = tf.train.sgd(0.1);
      const [x, y] = data(4);
      const step = ohemStep(model, {loss: categoricalCrossentropy(), optimizer, accumulate: 4});
      for (let i = 0; i < 8; i++) step(x, y).dispose();
      const before = tf.memory().numTensors;
      for (let i = 0; i < 8; i++) step(x, y).dispose();
      expect(tf.memory().numTensors).toBe(before);
      for (let i = 0; i < 2; i++) step(x, y).dispose();
      expect(tf.memory().numTensors).toBe(before + model.trainableWeights.length + 2);
      step.dispose();
      expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
    });
  });

  describe("selectOver: 'accumulated'", () => {
    const optimizer = () => tf.train.sgd(0.2);

    it.each(REDUCTIONS)('equals one step over the four batches, with %s', (reduction) => {
      const options = {select: topK({ratio: 0.4}), reduction};
      const together = whole([24], {...options, optimizer: optimizer()});
      const sizes = [6, 4, 8, 6];
      const apart = whole(sizes, {...options, optimizer: optimizer(), accumulate: 4, selectOver: 'accumulated'});
      expectClose(weightsIn(apart.model), weightsIn(together.model), CLOSE);
      const [one, all4] = [together.reports[0], apart.reports[3]];
      expectClose(all4?.losses as tf.Tensor, one?.losses as tf.Tensor, CLOSE);
      expect([...(all4?.selection.indices.dataSync() ?? [])]).toEqual([...(one?.selection.indices.dataSync() ?? [])]);
      expectClose(all4?.loss as tf.Tensor, one?.loss as tf.Tensor, CLOSE);
    });

    it('equals one step for any weights, valid rows, positives and batch sizes', () => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({min: 1, max: 6}), {minLength: 2, maxLength: 4}),
          fc.integer({min: 0, max: 1000}),
          fc.double({min: 0.1, max: 1, noNaN: true}),
          (sizes, seed, ratio) => {
            const rows = sizes.reduce((sum, size) => sum + size, 0);
            const drawn = (offset: number) => tf.randomUniform([rows], 0, 1, 'float32', seed + offset) as tf.Tensor1D;
            const valid = tf.cast(tf.greater(drawn(1), 0.2), 'float32') as tf.Tensor1D;
            const context = {sampleWeight: drawn(2), valid};
            const options = {select: topK({ratio}), reduction: 'mean' as const};
            const together = whole([rows], {...options, optimizer: optimizer()}, [context]);
            const byPart = sizes.map((_, i) => ({
              sampleWeight: parts(context.sampleWeight, sizes)[i],
              valid: parts(valid, sizes)[i],
            }));
            const own = {accumulate: sizes.length, selectOver: 'accumulated'} as const;
            const apart = whole(sizes, {...options, optimizer: optimizer(), ...own}, byPart);
            expectClose(weightsIn(apart.model), weightsIn(together.model), CLOSE);
          },
        ),
        {numRuns: 15},
      );
    });

    it('draws, and follows a schedule, once an update', () => {
      const draws = {select: randomK({k: 5, seed: 1})};
      const together = whole([12], {...draws, optimizer: optimizer()});
      const own = {accumulate: 3, selectOver: 'accumulated'} as const;
      const apart = whole([4, 4, 4], {...draws, optimizer: optimizer(), ...own});
      expectClose(weightsIn(apart.model), weightsIn(together.model), CLOSE);
      const [x, y] = data(4);
      const select = scheduled(topK, linear({from: 1, to: 0.25, steps: 3}));
      const step = ohemStep(mlp(), {loss: categoricalCrossentropy(), select, optimizer: optimizer(), ...own});
      const kept = Array.from({length: 12}, () => {
        const {weights} = step(x, y).selection;
        return [...weights.dataSync()].filter((weight) => weight > 0).length;
      });
      expect(kept).toEqual([0, 0, 12, 0, 0, 9, 0, 0, 6, 0, 0, 3]);
    });

    it('runs nothing backward of a batch of which no row is kept', () => {
      const [x, y] = data(4);
      const model = mlp();
      const easy = tf.zeros([4, FEATURES]);
      const step = ohemStep(model, {
        ...{loss: meanSquaredError(), select: topK({k: 2}), optimizer: optimizer()},
        ...{accumulate: 2, selectOver: 'accumulated'},
      });
      step(easy, model.predict(easy) as tf.Tensor);
      const report = step(x, y);
      expect([...report.selection.indices.dataSync()].every((row) => row >= 4)).toBe(true);
    });

    it('keeps no tensor of a batch once the update is made', () => {
      const model = mlp();
      const held = optimizer();
      const [x, y] = data(4);
      const step = ohemStep(model, {
        ...{loss: categoricalCrossentropy(), optimizer: held, accumulate: 2, selectOver: 'accumulated'},
      });
      for (let i = 0; i < 8; i++) step(x, y).dispose();
      const before = tf.memory().numTensors;
      for (let i = 0; i < 4; i++) step(x, y).dispose();
      expect(tf.memory().numTensors).toBe(before);
      // What the caller disposes meanwhile is held.
      const [first, second] = [tf.clone(x), tf.clone(x)];
      step(first, y).dispose();
      first.dispose();
      step(second, y).dispose();
      second.dispose();
      expect(tf.memory().numTensors).toBe(before);
      step(x, y).dispose();
      step.dispose();
      expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
    });
  });

  it('refuses what it cannot accumulate, by name', () => {
    const build = (options: object) => () =>
      ohemStep(mlp(), {loss: categoricalCrossentropy(), optimizer: tf.train.sgd(1), ...options});
    expect(build({accumulate: 0})).toThrow('ohemStep: accumulate must be an integer >= 1, got 0.');
    expect(build({accumulate: 2.5})).toThrow('ohemStep: accumulate must be an integer >= 1, got 2.5.');
    expect(build({selectOver: 'accumulated'})).toThrow(
      "ohemStep: accumulate must be at least 2 with selectOver: 'accumulated', got 1.",
    );
    expect(build({selectOver: 'epoch'})).toThrow(
      "ohemStep: selectOver must be one of batch, accumulated, got 'epoch'.",
    );
    const step = build({accumulate: 2, selectOver: 'accumulated', select: all()})();
    const [x, y] = data(4);
    step(x, y, {positive: tf.ones([4])});
    expect(() => step(x, y)).toThrow(
      'ohemStep: positive must be given with each of the accumulated batches, got 1 of 2.',
    );
  });
}

describeOnBackends('Accumulated batches', specification);

describeOnDevice('Accumulated batches on a device', specification);

describeOnBackends('fitOhem with accumulate', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const compiled = () => {
    const model = mlp();
    model.compile({optimizer: tf.train.adam(0.05), loss: 'categoricalCrossentropy', metrics: ['accuracy']});
    return model;
  };
  const args = {select: topK({ratio: 0.5}), seed: 4, verbose: 0} as const;

  it('trains as with one batch of all rows, with the rest of an epoch as a smaller one', async () => {
    const [x, y] = data(22);
    const [apart, together] = [compiled(), compiled()];
    const own = {accumulate: 3, selectOver: 'accumulated', batchSize: 4} as const;
    const small = await fitOhem(apart, x, y, {...args, ...own, epochs: 3});
    const large = await fitOhem(together, x, y, {...args, batchSize: 12, epochs: 3});
    expectClose(weightsIn(apart), weightsIn(together), CLOSE);
    for (const name of ['loss', 'batchLoss', 'kept', 'acc']) {
      expectClose(small.history[name] as number[], large.history[name] as number[], CLOSE);
    }
    expect(small.state).toMatchObject({step: 18, updates: 6});
  });

  it.each(['batch', 'accumulated'] as const)(
    'counts the update by what is left of an epoch, and sets its rate: selectOver %s',
    async (selectOver) => {
      const [x, y] = data(20);
      const seen: number[] = [];
      const learningRate = ({step}: {step: number}) => {
        seen.push(step);
        return 0.01;
      };
      const own = {accumulate: 3, selectOver, batchSize: 4, epochs: 2, learningRate} as const;
      const {state} = await fitOhem(compiled(), x, y, {...args, ...own});
      expect(state).toMatchObject({step: 10, updates: 4});
      expect(seen).toEqual([0, 1, 2, 3]);
    },
  );

  it.each(['batch', 'accumulated'] as const)(
    'resumes to the bit where it was stopped, selectOver: %s',
    async (selectOver) => {
      const [x, y] = data(20);
      const options = {...args, accumulate: 2, selectOver, batchSize: 4, epochs: 3} as const;
      const whole = compiled();
      await fitOhem(whole, x, y, options);
      const stopped = compiled();
      const controller = new AbortController();
      let batches = 0;
      const callbacks = {
        // In the middle of an accumulation: it is ended first.
        onBatchEnd: () => void (++batches === 3 && controller.abort()),
      };
      const {state} = await fitOhem(stopped, x, y, {...options, signal: controller.signal, callbacks});
      expect(state).toMatchObject({batch: 4, updates: 2});
      const {seed: _, ...rest} = options;
      await fitOhem(stopped, x, y, {...rest, initialState: JSON.parse(JSON.stringify(state))});
      expect(weightsIn(stopped)).toEqual(weightsIn(whole));
    },
  );

  it('checkpoints between updates, and enters each row once in the ledger', async () => {
    const [x, y] = data(16);
    const states: number[] = [];
    const rows: number[] = [];
    const ledger = {record: (ofBatch: Int32Array) => void rows.push(...ofBatch), toJSON: () => null};
    const checkpoint = ({batch}: {batch: number}) => void states.push(batch);
    const own = {accumulate: 2, selectOver: 'accumulated', batchSize: 4} as const;
    await fitOhem(compiled(), x, y, {...args, ...own, ledger, checkpoint, checkpointEvery: 1, epochs: 1});
    expect(states).toEqual([2, 4]);
    expect(rows.sort((a, b) => a - b)).toEqual(Array.from({length: 16}, (_, row) => row));
  });

  it('refuses more batches than an epoch has', async () => {
    const [x, y] = data(8);
    await expect(fitOhem(compiled(), x, y, {...args, accumulate: 3, batchSize: 4})).rejects.toThrow(
      'fitOhem: accumulate must be at most 2, the batches of an epoch, got 3.',
    );
  });

  it('says how many rows are kept above a threshold over all batches', async () => {
    const [x, y] = data(12);
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const own = {accumulate: 3, selectOver: 'accumulated', batchSize: 4} as const;
    const select = aboveThreshold({loss: 1e9, minK: 5});
    const {history} = await fitOhem(compiled(), x, y, {...args, select, ...own});
    expect(history.kept).toEqual([5]);
    warn.mockRestore();
  });
});
