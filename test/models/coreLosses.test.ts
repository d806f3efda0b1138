import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {all, fitOhem, ohemLoss, ohemStep, type PerSampleLoss, topK} from 'ohem-tfjs';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';

type CoreLoss = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Tensor;

/**
 * The losses of tf.losses as compile calls them, with two arguments; and the mean of those by row
 * if it is another one.
 */
const CASES: [name: keyof typeof tf.losses, mean?: CoreLoss][] = [
  ['absoluteDifference'],
  ['computeWeightedLoss', (yTrue, yPred) => tf.mean(tf.mul(yTrue, yPred))],
  ['cosineDistance', (yTrue, yPred) => tf.losses.cosineDistance(yTrue, yPred, 1)],
  ['hingeLoss'],
  ['huberLoss'],
  ['logLoss'],
  ['meanSquaredError'],
  ['sigmoidCrossEntropy'],
  ['softmaxCrossEntropy'],
];

const xs = () => tf.randomUniform([8, 3], 0, 1, 'float32', 1);
const ys = () => tf.cast(tf.oneHot(tf.tensor1d([0, 1, 1, 0, 1, 0, 0, 1], 'int32'), 2), 'float32');
const model = () =>
  sequential({
    layers: [layers.dense({units: 2, activation: 'sigmoid', inputShape: [3], kernelInitializer: 'ones'})],
  });

describeOnBackends('A loss of tf.losses', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  it.each(CASES)('%s is taken by row, with the mean of tfjs', (name, mean) => {
    const loss = tf.losses[name] as unknown as PerSampleLoss;
    const ofBatch = mean ?? (loss as CoreLoss);
    const built = model();
    const step = ohemStep(built, {loss, select: all(), optimizer: tf.train.sgd(0.1)});
    const variables = built.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const {value, grads} = tf.variableGrads(
      () => ofBatch(ys(), built.apply(xs()) as tf.Tensor) as tf.Scalar,
      variables,
    );
    const expected = variables.map((weight) => tf.sub(weight, tf.mul(0.1, grads[weight.name] as tf.Tensor)));
    const report = step(xs(), ys());
    expectClose([...report.loss.dataSync()], [...value.dataSync()], {absolute: 1e-6, relative: 1e-6});
    for (const [i, weight] of variables.entries()) {
      expectClose([...weight.dataSync()], [...(expected[i] as tf.Tensor).dataSync()], {absolute: 1e-6, relative: 1e-6});
    }
  });

  // The fit of tfjs finds no gradient through the weights of computeWeightedLoss.
  const fitted = CASES.filter(([name]) => name !== 'computeWeightedLoss');
  it.each(fitted)('%s has the losses of fit, unless it is a cosineDistance', async (name) => {
    const loss = tf.losses[name] as unknown as PerSampleLoss;
    const lossOf = async (train: typeof fitOhem | undefined) => {
      const built = model();
      built.compile({optimizer: tf.train.sgd(0.1), loss});
      const args = {batchSize: 8, epochs: 2, shuffle: false, verbose: 0} as const;
      const {history} = await (train
        ? train(built, xs(), ys(), {...args, select: all()})
        : built.fit(xs(), ys(), args));
      return history.loss as number[];
    };
    const [ours, theirs] = [await lossOf(fitOhem), await lossOf(undefined)];
    if (name !== 'cosineDistance') {
      expectClose(ours, theirs, {absolute: 1e-6, relative: 1e-6});
      return;
    }
    // Without an axis, tfjs sums over the batch: 1 − Σ yTrue · yPred.
    const predicted = model().predict(xs()) as tf.Tensor;
    const similarity = tf.sum(tf.mul(ys(), predicted)).dataSync()[0] as number;
    expect(theirs[0]).toBeCloseTo(1 - similarity, 5);
    expect(ours[0]).toBeCloseTo(1 - similarity / 8, 5);
  });

  it('covers all that tf.losses has', () => {
    expect(CASES.map(([name]) => name).sort()).toEqual(Object.keys(tf.losses).sort());
  });

  it('is mined as the official codelab compiles it', async () => {
    const built = model();
    built.compile({optimizer: 'sgd', loss: tf.losses.meanSquaredError, metrics: ['mse']});
    const {history} = await fitOhem(built, xs(), ys(), {select: topK({k: 2}), batchSize: 4, epochs: 2, verbose: 0});
    expect(history.kept).toEqual([4, 4]);
    expect(Object.keys(history)).toEqual(['loss', 'batchLoss', 'kept', 'mse']);
  });

  it('is mined by ohemLoss', () => {
    const loss = ohemLoss(tf.losses.meanSquaredError as unknown as PerSampleLoss, topK({k: 1}));
    const losses = loss(
      tf.tensor2d([
        [1, 1],
        [0, 0],
      ]),
      tf.tensor2d([
        [1, 0],
        [0, 0.5],
      ]),
    );
    expectClose([...losses.dataSync()], [1, 0], {absolute: 1e-6, relative: 1e-6});
  });
});
