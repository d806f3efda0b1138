import * as tf from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {
  aboveThreshold,
  all,
  binaryCrossentropy,
  categoricalCrossentropy,
  type FitOhemArgs,
  fitOhem,
  meanSquaredError,
  type PerSampleLoss,
  type Selector,
  sparseCategoricalCrossentropy,
  topK,
} from 'ohem-tfjs';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';

const THREE = [
  [0.7, 0.2, 0.1],
  [0.1, 0.8, 0.1],
  [0.2, 0.2, 0.6],
  [0.5, 0.3, 0.2],
  [0.3, 0.4, 0.3],
  [0.1, 0.1, 0.8],
];

/** A model whose probabilities are those that are given as logs. */
function identity(units: number, activation: 'softmax' | 'sigmoid' | 'linear', compile: object): LayersModel {
  const model = sequential({layers: [layers.dense({units, useBias: false, activation, inputShape: [units]})]});
  model.setWeights([tf.eye(units)]);
  model.compile({optimizer: tf.train.sgd(1e-9), loss: 'categoricalCrossentropy', metrics: ['accuracy'], ...compile});
  return model;
}

const labels = (values: number[]) => tf.tensor1d(values, 'int32');
const PLAIN = {select: all(), epochs: 1, batchSize: 6, verbose: 0} as const;

describeOnBackends('The figures of fitOhem', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const probabilities = () => tf.log(tf.tensor2d(THREE));
  const accuracy = async (model: LayersModel, x: tf.Tensor, y: tf.Tensor, args: FitOhemArgs = {}) => {
    const {history} = await fitOhem(model, x, y, {...PLAIN, ...args, validationData: [x, y]});
    return [history.acc?.[0], history.val_acc?.[0]].map((value) => Number(value?.toFixed(4)));
  };

  describe('metrics', () => {
    it.each(['sparseCategoricalCrossentropy', 'categoricalCrossentropy'])(
      'leave out ignored labels, compiled by %s',
      async (loss) => {
        const model = identity(3, 'softmax', {loss});
        const ignoring = {loss: sparseCategoricalCrossentropy({ignoreLabel: 255})};
        expect(await accuracy(model, probabilities(), labels([0, 1, 0, 255, 255, 255]), ignoring)).toEqual([
          0.6667, 0.6667,
        ]);
      },
    );

    it.each([
      ['labels [B]', () => labels([0, 1, 0, 0, 1, 2])],
      ['labels [B, 1]', () => tf.reshape(labels([0, 1, 0, 0, 1, 2]), [6, 1])],
    ])('follow the loss in use, not the one of compile, for %s', async (_, y) => {
      const model = identity(3, 'softmax', {});
      expect(await accuracy(model, probabilities(), y(), {loss: sparseCategoricalCrossentropy()})).toEqual([
        0.8333, 0.8333,
      ]);
    });

    it('are those of one-hot labels for a loss of the user', async () => {
      const own: PerSampleLoss = (yTrue, yPred) => tf.sum(tf.squaredDifference(yTrue, yPred), -1);
      const oneHot = tf.oneHot(labels([0, 1, 0, 0, 1, 2]), 3);
      expect(await accuracy(identity(3, 'softmax', {loss: own}), probabilities(), oneHot)).toEqual([0.8333, 0.8333]);
    });

    it('judge logits of a binary loss by their sign, and several labels one by one', async () => {
      const x = tf.tensor2d([[0.2], [-1], [3]]);
      const ones = tf.ones([3, 1]);
      const fromLogits = {loss: binaryCrossentropy({fromLogits: true})};
      expect(await accuracy(identity(1, 'linear', {}), x, ones, fromLogits)).toEqual([0.6667, 0.6667]);
      const many = tf.tensor2d([
        [2, -2],
        [-2, -2],
      ]);
      const truth = tf.tensor2d([
        [1, 1],
        [1, 0],
      ]);
      expect(await accuracy(identity(2, 'sigmoid', {loss: 'binaryCrossentropy'}), many, truth)).toEqual([0.5, 0.5]);
    });

    it('leave out rows that are not valid or not finite, of scalar metrics too', async () => {
      const share = (yTrue: tf.Tensor, yPred: tf.Tensor) =>
        tf.mean(tf.cast(tf.greater(tf.mul(yTrue, yPred), 0.5), 'float32'));
      const model = identity(1, 'sigmoid', {loss: 'binaryCrossentropy', metrics: ['accuracy', share, 'precision']});
      const x = tf.tensor2d([[40], [-3], [40], [Number.NaN]]);
      const y = tf.tensor2d([[1], [1], [0], [1]]);
      const context = {valid: tf.tensor1d([1, 1, 0, 1])};
      const {history} = await fitOhem(model, x, y, {...PLAIN, context});
      const [, , , , second = ''] = Object.keys(history);
      expect(history.acc?.[0]).toBeCloseTo(0.5, 5);
      expect(history[second]?.[0]).toBeCloseTo(0.5, 5);
      expect(history.precision?.[0]).toBeCloseTo(1, 5);
    });

    it('are means over the rows with a label, whatever the batches', async () => {
      const model = identity(3, 'softmax', {});
      const y = labels([0, 255, 255, 0, 1, 0]);
      const {history} = await fitOhem(model, probabilities(), y, {
        ...{...PLAIN, batchSize: 3, shuffle: false, loss: sparseCategoricalCrossentropy({ignoreLabel: 255})},
      });
      expect(history.acc?.[0]).toBeCloseTo(3 / 4, 5);
    });

    it('follow the labels of a general crossentropy', async () => {
      const model = identity(3, 'softmax', {metrics: ['crossentropy']});
      const loss = sparseCategoricalCrossentropy({ignoreLabel: 255});
      const {history} = await fitOhem(model, probabilities(), labels([0, 1, 255, 255, 255, 255]), {...PLAIN, loss});
      expect(history.ce?.[0]).toBeCloseTo(-(Math.log(0.7) + Math.log(0.8)) / 2, 5);
    });
  });

  describe('the loss of an epoch', () => {
    const zero = () => {
      const dense = layers.dense({units: 1, useBias: false, inputShape: [1], kernelInitializer: 'zeros'});
      const model = sequential({layers: [dense]});
      model.compile({optimizer: tf.train.sgd(1e-9), loss: 'meanAbsoluteError'});
      return model;
    };
    const column = (values: number[]) => tf.tensor2d(values.map((value) => [value]));
    const args = {batchSize: 4, shuffle: false, verbose: 0} as const;

    it('is that of the kept rows, also if batches keep different numbers', async () => {
      const select = aboveThreshold({loss: 1, minK: 1});
      const y = column([10, 0.1, 0.1, 0.1, 3, 3, 3, 0.1]);
      const {history} = await fitOhem(zero(), tf.ones([8, 1]), y, {...args, select});
      expect(history.loss?.[0]).toBeCloseTo(19 / 4, 5);
      expect(history.kept).toEqual([4]);
    });

    it('leaves out a batch that keeps no row, which logs no loss', async () => {
      const over: Selector = (losses) => ({
        indices: tf.range(0, losses.size, 1, 'int32') as tf.Tensor1D,
        weights: tf.cast(tf.greater(losses, 1), 'float32') as tf.Tensor1D,
      });
      const seen: number[] = [];
      const y = column([10, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]);
      const {history} = await fitOhem(zero(), tf.ones([8, 1]), y, {
        ...{...args, select: over},
        callbacks: {onBatchEnd: (_: number, logs?: {loss?: number}) => void seen.push(Number(logs?.loss))},
      });
      expect(history.loss?.[0]).toBeCloseTo(10, 5);
      expect(seen[0]).toBeCloseTo(10, 5);
      expect(seen[1]).toBeNaN();
    });

    it('is no 0 if nothing is learned: the epoch ends the run', async () => {
      const none: Selector = (losses) => ({
        indices: tf.range(0, losses.size, 1, 'int32') as tf.Tensor1D,
        weights: tf.zeros([losses.size]) as tf.Tensor1D,
      });
      await expect(fitOhem(zero(), tf.ones([8, 1]), tf.ones([8, 1]), {...args, select: none})).rejects.toThrow(
        'fitOhem: select must keep a row in at least one batch of an epoch, got none in epoch 0. Nothing was learned.',
      );
    });
  });

  describe('a model that diverges', () => {
    const xs = () => tf.tensor2d(Array.from({length: 24}, (_, i) => [i + 1]));
    const diverging = () => {
      const model = sequential({layers: [layers.dense({units: 1, inputShape: [1]})]});
      model.setWeights([tf.tensor2d([[0.5]]), tf.zeros([1])]);
      model.compile({loss: 'meanSquaredError', optimizer: tf.train.sgd(0.01)});
      return model;
    };

    it('is named as the cause, once, with its place', async () => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      try {
        const run = fitOhem(diverging(), xs(), tf.add(xs(), 2), {
          select: topK({ratio: 0.5}),
          epochs: 60,
          verbose: 0,
          seed: 1,
        });
        const error = await run.then(
          () => undefined,
          (thrown: Error) => thrown,
        );
        const said = warn.mock.calls.map(([text]) => String(text)).filter((text) => text.startsWith('fitOhem'));
        const all_ = [...said, String(error?.message ?? '')].join(' ');
        expect(all_).toMatch(/the model (diverges|has diverged)|The model has diverged/);
        expect(all_).toMatch(/epoch \d+, batch 0/);
        expect(new Set(said).size).toBe(said.length);
      } finally {
        warn.mockRestore();
      }
    });

    it('is distinguished from rows that are not finite themselves', async () => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      try {
        const x = tf.tensor2d([[1], [2], [Number.NaN], [1]]);
        const args = {loss: meanSquaredError(), optimizer: tf.train.sgd(0.01), verbose: 0} as const;
        await fitOhem(diverging(), x, tf.ones([4, 1]), {...args, shuffle: false});
        const huge = tf.tensor2d([[1], [2], [3e38], [1]]);
        await fitOhem(diverging(), huge, tf.ones([4, 1]), {...args, optimizer: tf.train.sgd(0), shuffle: false});
        expect(warn.mock.calls.map(([text]) => String(text))).toEqual([
          expect.stringContaining('fitOhem: rows 2 have a loss that is not finite (epoch 0, batch 0).'),
          expect.stringContaining(
            'fitOhem: the model diverges: the inputs of rows 2 are finite, but their losses are not',
          ),
        ]);
      } finally {
        warn.mockRestore();
      }
    });
  });

  it('has no loss of its own for an output that counts nothing', async () => {
    const loss = categoricalCrossentropy();
    const {history} = await fitOhem(
      identity(3, 'softmax', {}),
      probabilities(),
      tf.oneHot(labels([0, 1, 0, 0, 1, 2]), 3),
      {
        ...{...PLAIN, loss},
      },
    );
    expect(Object.keys(history)).toEqual(['loss', 'batchLoss', 'kept', 'acc']);
  });
});
