import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {hardestLosses, perSampleLosses, sparseCategoricalCrossentropy, thresholdOf} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';

/** A model whose prediction is its input. */
const identity = () =>
  sequential({layers: [layers.dense({units: 1, kernelInitializer: 'ones', useBias: false, inputShape: [1]})]});

const at = {shard: 0, step: 3, loss: 'meanAbsoluteError'} as const;
const OTHER_MODEL = /^thresholdOf: tops\[1\]\.model must be \d+, got \d+\. Build the same model in all shards: /;

const column = (values: number[]) => tf.tensor2d(values, [values.length, 1]);

describeOnBackends('hardestLosses', () => {
  it('has the largest losses of perSampleLosses, and their rows, ties in the order of the rows', async () => {
    const [model, x, y] = [identity(), column([1, 4, 2, 4, 3]), column([0, 0, 0, 0, 0])];
    expect([...(await perSampleLosses(model, x, y, {loss: at.loss}))]).toEqual([1, 4, 2, 4, 3]);
    expect(await hardestLosses(model, x, y, {...at, k: 3})).toEqual({
      ...{version: 1, shard: 0, step: 3, k: 3, rows: 5, usable: 5, model: expect.any(Number)},
      losses: Float32Array.of(4, 4, 3),
      indices: Int32Array.of(1, 3, 4),
    });
  });

  it('has all rows if k is more, so that others may have the rest', async () => {
    const {losses, usable} = await hardestLosses(identity(), column([1, 2]), column([0, 0]), {...at, k: 9});
    expect([losses, usable]).toEqual([Float32Array.of(2, 1), 2]);
  });

  it('leaves out what is not finite, not valid or without a label', async () => {
    const [x, y] = [column([1, Number.NaN, 2, 9, Infinity]), column([0, 0, 0, 0, 0])];
    const valid = tf.tensor1d([1, 1, 1, 0, 1]);
    const mine = await hardestLosses(identity(), x, y, {...at, k: 4, valid});
    expect([mine.losses, mine.indices, mine.usable]).toEqual([Float32Array.of(2, 1), Int32Array.of(2, 0), 2]);
    const classes = sequential({layers: [layers.dense({units: 2, activation: 'softmax', inputShape: [1]})]});
    const labels = tf.tensor1d([0, 255, 1], 'int32');
    const loss = sparseCategoricalCrossentropy({ignoreLabel: 255});
    for (const [given, kept] of [
      [undefined, [0, 2]],
      [tf.tensor1d([0, 1, 1]), [2]],
    ] as const) {
      const ofLabels = await hardestLosses(classes, column([0, 0, 0]), labels, {...at, loss, k: 3, valid: given});
      expect([...ofLabels.indices].sort()).toEqual(kept);
    }
  });

  it('takes several outputs, of which one labels a row', async () => {
    const input = {inputs: tf.ones([2, 1])};
    const model = {
      predict: (x: tf.Tensor) => [tf.softmax(tf.mul(x, tf.ones([1, 2]))), tf.softmax(tf.mul(x, tf.ones([1, 2])))],
      variables: [tf.variable(tf.ones([1, 2]))],
    };
    const ignoring = () => sparseCategoricalCrossentropy({ignoreLabel: 9});
    const ys = [tf.tensor1d([9, 9], 'int32'), tf.tensor1d([9, 1], 'int32')];
    const options = {...at, loss: [ignoring(), ignoring()], k: 2};
    expect((await hardestLosses(model, input.inputs, ys, options)).indices).toEqual(Int32Array.of(1));
  });

  it('has no loss of a shard without rows, which still checks the tensors', async () => {
    const empty = (width: number) => tf.zeros([0, width]);
    const options = {...at, k: 2, valid: tf.tensor1d([], 'float32')};
    expect(await hardestLosses(identity(), empty(1), empty(1), options)).toEqual({
      ...{version: 1, shard: 0, step: 3, k: 2, rows: 0, usable: 0, model: expect.any(Number)},
      losses: new Float32Array(0),
      indices: new Int32Array(0),
    });
    await expect(hardestLosses(identity(), empty(2), empty(1), {...at, k: 2})).rejects.toThrow(
      'hardestLosses: x must have the shape of the input',
    );
    await expect(hardestLosses(identity(), empty(1), column([1]), {...at, k: 2})).rejects.toThrow(
      'hardestLosses: y must have as many rows as x, 0, got 1.',
    );
  });

  it('leaks nothing', async () => {
    const [model, x, y, valid] = [identity(), column([1, 2]), column([0, 0]), tf.tensor1d([1, 0])];
    await hardestLosses(model, x, y, {...at, k: 2, valid});
    const before = tf.memory().numTensors;
    await hardestLosses(model, x, y, {...at, k: 2, valid});
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('hardestLosses', () => {
  it('of different models are refused together', async () => {
    const wider = sequential({layers: [layers.dense({units: 1, inputShape: [1]})]});
    const [x, y] = [column([1, 2]), column([0, 0])];
    const tops = [
      await hardestLosses(identity(), x, y, {...at, k: 2}),
      await hardestLosses(wider, x, y, {...at, k: 2, shard: 1}),
    ];
    expect(() => thresholdOf(tops, {k: 2, shards: 2})).toThrow(OTHER_MODEL);
  });

  it('of models that differ in an activation are refused, of models with other names are not', async () => {
    const [x, y] = [column([1, 2]), column([0, 0])];
    const topsOf = (activations: ('relu' | 'tanh')[]) =>
      Promise.all(
        activations.map((activation, shard) => {
          const model = sequential({layers: [layers.dense({units: 1, activation, inputShape: [1]})]});
          return hardestLosses(model, x, y, {...at, k: 2, shard});
        }),
      );
    const same = thresholdOf(await topsOf(['relu', 'relu']), {k: 2, shards: 2});
    expect(same.counts.reduce((total, count) => total + count)).toBe(2);
    const other = await topsOf(['relu', 'tanh']);
    expect(() => thresholdOf(other, {k: 2, shards: 2})).toThrow(OTHER_MODEL);
    const unknown = other.map(({model: _, ...top}) => top);
    expect(thresholdOf(unknown, {k: 2, shards: 2}).rows).toBe(4);
  });

  it.each([
    [{k: 0}, 'k must be an integer >= 1, got 0.'],
    [{shard: undefined}, 'shard must be an integer >= 0, got undefined.'],
    [{step: -1}, 'step must be an integer >= 0, got -1.'],
    [{valid: [1, 1]}, 'valid must be a tensor of shape [2], got [1, 1]. Make one with tf.tensor1d().'],
    [{count: 1}, 'options must have the names k, shard, step, valid, loss, lossWeights, batchSize, got count.'],
  ])('refuses %o by name', async (options, message) => {
    const called = hardestLosses(identity(), column([1, 2]), column([0, 0]), {...at, k: 1, ...options} as never);
    await expect(called).rejects.toThrow(`hardestLosses: ${message}`);
  });
});
