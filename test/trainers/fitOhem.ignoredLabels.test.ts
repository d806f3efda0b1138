import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  metrics as layersMetrics,
  model,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import {
  all,
  asymmetric,
  binaryCrossentropy,
  binaryFocalCrossentropy,
  type FitOhemArgs,
  fitOhem,
  type PerSampleLoss,
  sparseCategoricalCrossentropy,
  weightedSum,
} from 'ohem-tfjs';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {describeOnBackends, describeOnDevice} from '../support/backends';

/** Four rows of two labels, all predicted right: each row ignores one label. */
const LOGITS = [
  [2, 2],
  [2, 2],
  [2, -2],
  [-2, -2],
];
const truth = (ignored: number) =>
  tf.tensor2d([
    [1, ignored],
    [1, ignored],
    [1, ignored],
    [ignored, 0],
  ]);

/** The sigmoid of 2, and the figures of a prediction that is right with this probability. */
const SURE = 1 / (1 + Math.exp(-2));
const RIGHT = {mse: (1 - SURE) ** 2, mae: 1 - SURE, ce: -Math.log(SURE), binaryAccuracy: 1, acc: 1};

const PLAIN = {select: all(), epochs: 1, batchSize: 4, verbose: 0, learningRate: 0} as const;

function compiled(metrics: unknown, loss: PerSampleLoss, activation: 'sigmoid' | 'linear' = 'sigmoid'): LayersModel {
  const built = sequential({layers: [layers.dense({units: 2, useBias: false, activation, inputShape: [2]})]});
  built.setWeights([tf.eye(2)]);
  built.compile({optimizer: 'sgd', loss, metrics: metrics as string[]});
  return built;
}

/** The figures of training and validation, which must be equal as nothing is learned. */
async function figures(built: LayersModel, y: tf.Tensor | tf.Tensor[], args: FitOhemArgs = {}) {
  const x = tf.tensor2d(LOGITS);
  const {history} = await fitOhem(built, x, y, {...PLAIN, ...args, validationData: [x, y]});
  const names = Object.keys(history).filter((name) => name.startsWith('val_') && !name.endsWith('loss'));
  return Object.fromEntries(
    names.map((name) => {
      const [validated, trained] = [history[name]?.[0] as number, history[name.slice(4)]?.[0] as number];
      expect(Math.abs(validated - trained), name).toBeLessThan(1e-6);
      return [name.slice(4), validated];
    }),
  );
}

function expectFigures(got: Record<string, number>, expected: Record<string, number>): void {
  expect(Object.keys(got)).toEqual(Object.keys(expected));
  for (const [name, value] of Object.entries(expected)) expect(got[name], name).toBeCloseTo(value, 6);
}

const LOSSES: [string, (options: {ignoreLabel: number; fromLogits?: boolean}) => PerSampleLoss][] = [
  ['binaryCrossentropy', binaryCrossentropy],
  ['binaryFocalCrossentropy', binaryFocalCrossentropy],
  ['asymmetric', asymmetric],
  ['a weightedSum', (options) => weightedSum([{loss: binaryCrossentropy(options)}, {loss: asymmetric(options)}])],
];

function specification(): void {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  describe.each([-1, 255])('%i among several labels of a row', (ignoreLabel) => {
    it.each(LOSSES)('are in no metric of tfjs, with %s', async (_, loss) => {
      const metrics = ['accuracy', 'binaryAccuracy', 'mse', 'mae', 'crossentropy'];
      const {acc, binaryAccuracy, mse, mae, ce} = RIGHT;
      expectFigures(await figures(compiled(metrics, loss({ignoreLabel})), truth(ignoreLabel)), {
        ...{acc, binaryAccuracy, mse, mae, ce},
      });
    });

    it('are in none by element either, which has the same figures', async () => {
      const built = () => compiled(['accuracy', 'mse', 'crossentropy'], binaryCrossentropy({ignoreLabel}));
      const byRow = await figures(built(), truth(ignoreLabel));
      expectFigures(await figures(built(), truth(ignoreLabel), {granularity: 'element'}), byRow);
    });

    it('are in none from logits', async () => {
      const loss = binaryCrossentropy({ignoreLabel, fromLogits: true});
      const built = compiled(['accuracy', 'crossentropy'], loss, 'linear');
      expectFigures(await figures(built, truth(ignoreLabel)), {acc: RIGHT.acc, ce: RIGHT.ce});
    });

    it('are in none that compare the labels of a row, or count over the batch', async () => {
      const {categoricalAccuracy, recall, precision} = layersMetrics;
      const metrics = [categoricalAccuracy, recall, precision, 'cosine'];
      const [x, y] = [tf.tensor2d(LOGITS), truth(ignoreLabel)];
      // Probabilities of exactly 0 and 1, as precision and recall take.
      const built = compiled(metrics, binaryCrossentropy({ignoreLabel}));
      built.setWeights([tf.mul(tf.eye(2), 100)]);
      const {history} = await fitOhem(built, x, y, PLAIN);
      const [accuracy, recalled, precise, cosine] = Object.keys(history).slice(3, 7);
      expect(history[accuracy as string]?.[0]).toBeCloseTo(1, 6);
      expect(history[recalled as string]?.[0]).toBeCloseTo(1, 6);
      expect(history[precise as string]?.[0]).toBeCloseTo(1, 6);
      // Three rows point the same way; the last one has no direction.
      expect(history[cosine as string]?.[0]).toBeCloseTo(-0.75, 5);
    });

    it('are in no metric of one label per row', async () => {
      const built = sequential({
        layers: [layers.dense({units: 1, useBias: false, activation: 'sigmoid', inputShape: [2]})],
      });
      built.setWeights([tf.tensor2d([[1], [0]])]);
      built.compile({
        optimizer: 'sgd',
        loss: binaryCrossentropy({ignoreLabel}),
        metrics: ['accuracy', 'crossentropy', 'mse'],
      });
      const {acc, ce, mse} = RIGHT;
      const y = tf.tensor2d([[1], [ignoreLabel], [1], [0]]);
      expectFigures(await figures(built, y), {acc, ce, mse});
      expectFigures(await figures(built, tf.reshape(y, [4])), {acc, ce, mse});
    });

    it('are in no metric of an output among several', async () => {
      const x = input({shape: [2]});
      const outputs = ['first', 'second'].map((name) =>
        layers.dense({units: 2, useBias: false, name, activation: 'sigmoid'}).apply(x),
      ) as SymbolicTensor[];
      const built = model({inputs: x, outputs});
      built.setWeights([tf.eye(2), tf.eye(2)]);
      const metrics = {first: ['accuracy', 'mse'], second: 'crossentropy'} as never;
      built.compile({optimizer: 'sgd', loss: binaryCrossentropy({ignoreLabel}), metrics});
      expectFigures(await figures(built, [truth(ignoreLabel), truth(ignoreLabel)]), {
        ...{first_acc: 1, first_mse: RIGHT.mse, second_ce: RIGHT.ce},
      });
    });
  });

  it('counts labels, not rows: a row with two has twice the share of a row with one', async () => {
    const y = tf.tensor2d([
      [0, 0],
      [1, 255],
      [255, 255],
      [255, 255],
    ]);
    const built = () => compiled(['accuracy'], binaryCrossentropy({ignoreLabel: 255}));
    expectFigures(await figures(built(), y), {acc: 1 / 3});
    // Whatever the batches.
    expectFigures(await figures(built(), y, {batchSize: 1}), {acc: 1 / 3});
  });

  it('keeps labels of rows that are not valid from a crossentropy too', async () => {
    const y = tf.tensor2d([
      [1, 1],
      [1, 1],
      [7, 7],
      [0, 0],
    ]);
    const context = {valid: tf.tensor1d([1, 1, 0, 1])};
    const {history} = await fitOhem(compiled(['crossentropy'], binaryCrossentropy()), tf.tensor2d(LOGITS), y, {
      ...{...PLAIN, context},
    });
    expect(history.ce?.[0]).toBeCloseTo(RIGHT.ce, 6);
  });

  it('leaves them out for sparse labels of pixels by names', async () => {
    const built = sequential({
      layers: [layers.dense({units: 2, activation: 'softmax', useBias: false, inputShape: [2, 2]})],
    });
    built.setWeights([tf.eye(2)]);
    built.compile({
      ...{optimizer: 'sgd', loss: sparseCategoricalCrossentropy({ignoreLabel: 255})},
      metrics: ['accuracy', 'crossentropy', layersMetrics.sparseCategoricalAccuracy as never],
    });
    const x = tf.tensor3d([2, 0, 0, 2, 2, 0, 0, 2], [2, 2, 2]);
    const y = tf.tensor2d([0, 1, 255, 255], [2, 2]);
    const {history} = await fitOhem(built, x, y, {...PLAIN, validationData: [x, y]});
    expect(history.val_acc?.[0]).toBeCloseTo(1, 6);
    expect(history.val_ce?.[0]).toBeCloseTo(RIGHT.ce, 6);
    expect(history[Object.keys(history).at(-1) as string]?.[0]).toBeCloseTo(1, 6);
  });
}

describeOnBackends('Ignored labels', specification);
describeOnDevice('Ignored labels on a device', specification);
