/**
 * @file Loops as they are written in projects, moved to `ohemStep`: the weights are those of tfjs
 *   by hand.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  initializers,
  input,
  type LayersModel,
  layers,
  type SymbolicTensor,
  sequential,
  model as tfModel,
} from '@tensorflow/tfjs-layers';
import {
  categoricalCrossentropy,
  type FunctionModel,
  fitOhem,
  importanceSampling,
  type JointLoss,
  jointLoss,
  linear,
  ohemLoss,
  ohemStep,
  type Selector,
  scheduled,
  topK,
} from 'ohem-tfjs';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';

const ROWS = 32;
const STEPS = 6;
const CLOSE = {absolute: 1e-6, relative: 1e-6};
const normal = (shape: number[], seed: number, deviation = 1) => tf.randomNormal(shape, 0, deviation, 'float32', seed);
const xs = () => normal([ROWS, 4], 1) as tf.Tensor2D;
const ys = () => tf.oneHot(tf.argMax(tf.slice(xs(), [0, 0], [ROWS, 3]), 1), 3);
const valuesOf = (weights: readonly tf.Tensor[]) => weights.flatMap((weight) => [...weight.dataSync()]);

/** Takes steps of plain tfjs: the weighted mean of what a selector keeps of the losses. */
function byHand(losses: () => tf.Tensor, select: Selector, optimizer: tf.Optimizer): void {
  for (let step = 0; step < STEPS; step++) {
    tf.tidy(() => {
      optimizer.minimize(() => {
        const all = losses() as tf.Tensor1D;
        const {indices, weights} = select(all, {step});
        return tf.div(
          tf.sum(tf.mul(all, tf.scatterND(tf.expandDims(indices, 1), weights, all.shape))),
          tf.sum(weights),
        ) as tf.Scalar;
      });
    });
  }
}

function makeNet() {
  const hidden = tf.variable(normal([4, 8], 2, 0.5));
  const bias = tf.variable(tf.zeros([8]));
  const output = tf.variable(normal([8, 3], 3, 0.5));
  const predict = (x: tf.Tensor2D) =>
    tf.softmax(tf.matMul(tf.tanh(tf.add(tf.matMul(x, hidden as tf.Tensor2D), bias)), output));
  return {predict, variables: [hidden, bias, output]} satisfies FunctionModel;
}

/** Draws μ + σ·ε in training, another ε in each call. */
class Draw extends layers.Layer {
  static className = 'DrawOfPortedLoops';
  private calls = 0;
  override computeOutputShape(shapes: unknown) {
    return (shapes as number[][])[0] as number[];
  }
  override call(inputs: tf.Tensor | tf.Tensor[], {training}: {training?: boolean}) {
    const [mean, logVariance] = inputs as [tf.Tensor, tf.Tensor];
    if (!training) return mean;
    return tf.tidy(() => tf.add(mean, tf.mul(tf.exp(tf.div(logVariance, 2)), normal(mean.shape, ++this.calls))));
  }
}

function makeAutoencoder(): LayersModel {
  const dense = (units: number, seed: number, activation: 'tanh' | 'linear' = 'linear') =>
    layers.dense({units, activation, kernelInitializer: initializers.glorotNormal({seed})});
  const x = input({shape: [4]});
  const encoded = dense(6, 1, 'tanh').apply(x);
  const [mean, logVariance] = [dense(2, 2).apply(encoded), dense(2, 3).apply(encoded)] as SymbolicTensor[];
  const drawn = new Draw({}).apply([mean, logVariance] as SymbolicTensor[]);
  const decoded = dense(4, 5).apply(dense(6, 4, 'tanh').apply(drawn));
  return tfModel({inputs: x, outputs: [decoded, mean, logVariance] as SymbolicTensor[]});
}

function evidence([truth]: tf.Tensor[], [decoded, mean, logVariance]: tf.Tensor[]): tf.Tensor {
  const [code, spread] = [mean, logVariance] as [tf.Tensor, tf.Tensor];
  const terms = tf.sub(tf.sub(tf.add(spread, 1), tf.square(code)), tf.exp(spread));
  const error = tf.sum(tf.squaredDifference(truth as tf.Tensor, decoded as tf.Tensor), 1);
  return tf.sub(error, tf.mul(0.5, tf.sum(terms, 1)));
}

const temporalDifference: JointLoss = jointLoss(([action, value], [values]) => {
  const actions = tf.oneHot(tf.cast(action as tf.Tensor, 'int32'), 2);
  return tf.squaredDifference(tf.sum(tf.mul(values as tf.Tensor, actions), 1), value as tf.Tensor);
});

const qNetwork = (seed: number) =>
  sequential({
    layers: [layers.dense({units: 2, inputShape: [4], kernelInitializer: initializers.glorotNormal({seed})})],
  });

describeOnBackends('A loop that is ported', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  it('of variables has the weights of minimize, by ohemStep and by ohemLoss', () => {
    const [loss, select] = [categoricalCrossentropy(), topK({k: 8})];
    const [stepped, withLoss, expected] = [makeNet(), makeNet(), makeNet()];
    const step = ohemStep(stepped, {loss, select, optimizer: tf.train.adam(0.01)});
    const [mined, optimizer] = [ohemLoss(loss, select), tf.train.adam(0.01)];
    for (let i = 0; i < STEPS; i++) {
      step(xs(), ys()).dispose();
      optimizer.minimize(() => tf.mean(mined(ys(), withLoss.predict(xs()))) as tf.Scalar);
    }
    byHand(() => loss(ys(), expected.predict(xs())), select, tf.train.adam(0.01));
    expectClose(valuesOf(stepped.variables), valuesOf(expected.variables), CLOSE);
    expectClose(valuesOf(withLoss.variables), valuesOf(expected.variables), CLOSE);
    const untrained = valuesOf(makeNet().variables);
    expect(valuesOf(stepped.variables).every((value, i) => value !== untrained[i])).toBe(true);
  });

  it('of a variational autoencoder has the weights of minimize, noise included', () => {
    const select = topK({ratio: 0.25});
    const [mined, expected] = [makeAutoencoder(), makeAutoencoder()];
    const step = ohemStep(mined, {loss: jointLoss(evidence), select, optimizer: tf.train.sgd(0.01)});
    for (let i = 0; i < STEPS; i++) step(xs(), xs()).dispose();
    byHand(() => evidence([xs()], expected.apply(xs(), {training: true}) as tf.Tensor[]), select, tf.train.sgd(0.01));
    expectClose(valuesOf(mined.getWeights()), valuesOf(expected.getWeights()), CLOSE);
    const untrained = valuesOf(makeAutoencoder().getWeights());
    expect(valuesOf(mined.getWeights()).some((value, i) => Math.abs(value - (untrained[i] as number)) > 1e-3)).toBe(
      true,
    );
  });

  it.each([
    ['topK', topK({k: 8})],
    ['importanceSampling', importanceSampling({k: 8, seed: 7})],
  ])('of a DQN has the weights of minimize, and leaves the target network alone: %s', (_, select) => {
    const target = qNetwork(2);
    const [learned, expected] = [qNetwork(1), qNetwork(1)];
    const before = valuesOf(target.getWeights());
    const next = normal([ROWS, 4], 5);
    const value = tf.add(normal([ROWS], 6), tf.mul(0.9, tf.max(target.predict(next) as tf.Tensor, 1)));
    const action = tf.tensor1d(Array.from({length: ROWS}, (_, row) => row % 2));
    const optimizer = () => tf.train.sgd(0.05);
    const step = ohemStep(learned, {loss: temporalDifference, select, optimizer: optimizer()});
    for (let i = 0; i < STEPS; i++) step(xs(), [action, value]).dispose();
    byHand(
      () => temporalDifference.compute([action, value], [expected.predict(xs()) as tf.Tensor]),
      select,
      optimizer(),
    );
    expectClose(valuesOf(learned.getWeights()), valuesOf(expected.getWeights()), CLOSE);
    expect(valuesOf(target.getWeights())).toEqual(before);
    expect(valuesOf(learned.getWeights())).not.toEqual(valuesOf(qNetwork(1).getWeights()));
  });

  it('of fit in epochs has the weights, the history and the draws of one long call, to the bit', async () => {
    const select = () => scheduled(({ratio}) => topK({ratio}), linear({from: 1, to: 0.25, steps: 12}));
    const options = {loss: categoricalCrossentropy(), batchSize: 8, seed: 7, verbose: 0} as const;
    const [looped, inOneCall] = [makeNet(), makeNet()];
    const often = {...options, select: select(), optimizer: tf.train.adam(0.01)};
    const kept: number[] = [];
    for (let epoch = 0; epoch < 3; epoch++) {
      const {history} = await fitOhem(looped, xs(), ys(), {...often, epochs: 1});
      kept.push(...(history.kept as number[]));
    }
    const once = {...options, select: select(), optimizer: tf.train.adam(0.01), epochs: 3};
    const {history} = await fitOhem(inOneCall, xs(), ys(), once);
    expect(valuesOf(looped.variables)).toEqual(valuesOf(inOneCall.variables));
    expect(kept).toEqual(history.kept);
    expect(new Set(kept).size).toBe(3);
  });
});
