import * as tf from '@tensorflow/tfjs-core';
import {type LayersModel, layers, regularizers, sequential} from '@tensorflow/tfjs-layers';
import {all, meanSquaredError, ohemStep, type PerSampleLoss, randomK, topK} from 'ohem-tfjs';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {trainOnWasm} from '../backends/wasm/sameAsCpu';
import {describeOnBackends, describeOnDevice} from '../support/backends';
import {expectClose} from '../support/close';

const CLOSE = {absolute: 1e-6, relative: 1e-6};
const seeded = (seed: number) => ({kernelInitializer: {className: 'GlorotNormal', config: {seed}} as never});

function build(): LayersModel {
  return sequential({
    layers: [
      layers.dense({units: 4, activation: 'tanh', inputShape: [3], ...seeded(1)}),
      layers.batchNormalization(),
      layers.dense({units: 2, kernelRegularizer: regularizers.l2({l2: 0.2}), ...seeded(2)}),
    ],
  });
}

const xs = () => tf.randomNormal([8, 3], 0, 1, 'float32', 5);
const ys = () => tf.randomNormal([8, 2], 0, 1, 'float32', 6);
const valuesOf = (tensors: readonly tf.Tensor[]) => tensors.flatMap((tensor) => [...tensor.dataSync()]);
const variablesOf = (model: LayersModel) => model.trainableWeights.map((weight) => weight.read() as tf.Variable);

function specification(): void {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const options = () => ({loss: meanSquaredError(), select: topK({k: 3}), optimizer: tf.train.adam(0.1)});

  it('gives those of tf.variableGrads for the kept rows, in the order of the weights, and changes no weight', () => {
    const [model, reference] = [build(), build()];
    const before = valuesOf(variablesOf(model));
    const {gradients, report} = ohemStep(model, {...options(), clipNorm: 1e-3}).gradients(xs(), ys());
    expect(valuesOf(variablesOf(model))).toEqual(before);
    expect(Object.keys(gradients)).toEqual(variablesOf(model).map(({name}) => name));
    const rows = [...report.selection.indices.dataSync()];
    const mask = tf.tensor1d(Array.from({length: 8}, (_, row) => (rows.includes(row) ? 1 / 3 : 0)));
    const {grads} = tf.variableGrads(() => {
      const losses = meanSquaredError()(ys(), reference.apply(xs(), {training: true}) as tf.Tensor);
      return tf.add(tf.sum(tf.mul(mask, losses)), tf.addN(reference.calculateLosses())) as tf.Scalar;
    }, variablesOf(reference));
    expectClose(
      valuesOf(Object.values(gradients)),
      valuesOf(variablesOf(reference).map(({name}) => grads[name] as tf.Tensor)),
      {
        absolute: 1e-6,
        relative: 1e-6,
      },
    );
  });

  it('makes the step when applied, with clipping, slots and statistics', () => {
    const [apart, whole] = [build(), build()];
    const step = ohemStep(whole, {...options(), clipNorm: 0.1});
    const parts = ohemStep(apart, {...options(), clipNorm: 0.1});
    for (let i = 0; i < 3; i++) {
      step(xs(), ys());
      parts.apply(parts.gradients(xs(), ys()).gradients);
    }
    expectClose(valuesOf(apart.getWeights()), valuesOf(whole.getWeights()), CLOSE);
  });

  it('sums up over batches as accumulate does', () => {
    const [apart, together] = [build(), build()];
    const own = {loss: meanSquaredError(), select: all(), reduction: 'sum'} as const;
    const parts = ohemStep(apart, {...own, optimizer: tf.train.sgd(0.01)});
    const whole = ohemStep(together, {...own, optimizer: tf.train.sgd(0.01), accumulate: 2});
    const [first, second] = [0, 4].map((begin) => [tf.slice(xs(), begin, 4), tf.slice(ys(), begin, 4)] as const);
    const [one, two] = [first, second].map((batch) => parts.gradients(...(batch as [tf.Tensor, tf.Tensor])).gradients);
    const penalised = variablesOf(apart).map(({name}) => name)[4] as string;
    const sums = Object.keys(one as object).map((name) => {
      const sum = tf.add((one as tf.NamedTensorMap)[name] as tf.Tensor, (two as tf.NamedTensorMap)[name] as tf.Tensor);
      // The penalty is in both.
      const twice = tf.mul(0.4, variablesOf(apart)[4] as tf.Tensor);
      return [name, name === penalised ? tf.sub(sum, twice) : sum] as const;
    });
    parts.apply(Object.fromEntries(sums));
    whole(...(first as [tf.Tensor, tf.Tensor]));
    whole(...(second as [tf.Tensor, tf.Tensor]));
    expectClose(valuesOf(apart.getWeights()), valuesOf(together.getWeights()), {absolute: 1e-6, relative: 1e-6});
  });

  it('gives zeros, and leaves statistics as they are, if the step is not sound', async () => {
    const model = build();
    const before = valuesOf(model.getWeights());
    const root: PerSampleLoss = (_, yPred) => tf.sqrt(tf.relu(tf.mul(tf.sum(yPred, 1), 0)));
    const {gradients, report} = ohemStep(model, {...options(), loss: root}).gradients(xs(), ys());
    expect(valuesOf(Object.values(gradients)).every((value) => value === 0)).toBe(true);
    expect(valuesOf(model.getWeights())).toEqual(before);
    expect(await report.read()).toMatchObject({kept: 0});
  });

  it('applies nothing that is not finite', () => {
    const model = build();
    const step = ohemStep(model, options());
    const {gradients} = step.gradients(xs(), ys());
    const before = valuesOf(model.getWeights());
    const [name] = Object.keys(gradients) as [string];
    step.apply({...gradients, [name]: tf.fill((gradients[name] as tf.Tensor).shape, Number.NaN)});
    expect(valuesOf(model.getWeights())).toEqual(before);
    step.apply(gradients);
    expect(valuesOf(model.getWeights())).not.toEqual(before);
  });

  it('gives no optimizer of the user a gradient that is not finite, in a later step either', async () => {
    const bare = () => sequential({layers: [layers.dense({units: 1, inputShape: [2], useBias: false, ...seeded(3)})]});
    // Of a distance of 0 the loss is finite, and the gradient is not.
    const distance: PerSampleLoss = (yTrue, yPred) => tf.sqrt(tf.sum(tf.square(tf.sub(yTrue, yPred)), -1));
    for (const Own of [tf.SGDOptimizer, class extends tf.SGDOptimizer {}]) {
      const given: number[] = [];
      const optimizer = new Own(0);
      const apply = optimizer.applyGradients.bind(optimizer);
      optimizer.applyGradients = (gradients) => {
        given.push(...valuesOf(Object.values(gradients as tf.NamedTensorMap)));
        apply(gradients);
      };
      const model = bare();
      const step = ohemStep(model, {loss: distance, select: all(), optimizer});
      const batch = tf.ones([2, 2]);
      expect(await step(batch, tf.ones([2, 1])).read()).toMatchObject({kept: 2});
      const {length} = given;
      expect(await step(batch, model.predict(batch) as tf.Tensor).read()).toMatchObject({kept: 0});
      step.apply({[variablesOf(model)[0]?.name as string]: tf.fill([2, 1], Number.NaN)});
      expect(length).toBeGreaterThan(0);
      expect(given.every(Number.isFinite)).toBe(true);
    }
  });

  it('continues with the draws of the selector, and disposes what is its own', () => {
    const model = build();
    const optimizer = tf.train.sgd(0.1);
    const step = ohemStep(model, {...options(), optimizer, select: randomK({k: 3, seed: 1})});
    const [x, y] = [xs(), ys()];
    const rows = () => {
      const {gradients, report} = step.gradients(x, y);
      const kept = [...report.selection.indices.dataSync()].sort();
      step.apply(gradients);
      tf.dispose(gradients);
      report.dispose();
      return kept.join();
    };
    const drawn = [rows(), rows(), rows(), rows()];
    expect(new Set(drawn).size).toBeGreaterThan(1);
    const before = tf.memory().numTensors;
    for (let i = 0; i < 4; i++) rows();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses gradients that do not fit, by name, before anything changes', () => {
    const model = build();
    const step = ohemStep(model, options());
    const [name] = variablesOf(model).map((variable) => variable.name) as [string];
    expect(() => step.apply({})).toThrow('ohemStep: gradients must be tensors by the names of weights, got {}.');
    expect(() => step.apply({[`${name}s`]: tf.zeros([3, 4])})).toThrow(
      `ohemStep: gradients must have the names of weights that are trained, got ${name}s. Did you mean '${name}'?`,
    );
    expect(() => step.apply({[name]: tf.zeros([4, 3])})).toThrow(
      `ohemStep: gradients of ${name} must be a tensor of shape [3, 4]`,
    );
    const gone = tf.zeros([3, 4]);
    gone.dispose();
    expect(() => step.apply({[name]: gone})).toThrow(
      `ohemStep: gradients of ${name} must be a tensor of shape [3, 4], got a disposed one.`,
    );
    const many = ohemStep(model, {...options(), accumulate: 2});
    expect(() => many.gradients(xs(), ys())).toThrow('ohemStep: accumulate must be 1 for step.gradients, got 2.');
    step.dispose();
    expect(() => step.gradients(xs(), ys())).toThrow('ohemStep: the step must not be called after dispose().');
  });
}

describeOnBackends('step.gradients and step.apply', specification);

describeOnDevice('step.gradients and step.apply on a device', specification);

describe('step.apply on wasm with our kernels', () => {
  trainOnWasm();

  it('takes gradients of integers for what they are, of a large weight too', () => {
    const model = sequential({layers: [layers.dense({units: 64, inputShape: [128], kernelInitializer: 'zeros'})]});
    const step = ohemStep(model, {loss: meanSquaredError(), select: all(), optimizer: tf.train.sgd(1)});
    const gradient = tf.fill([128, 64], 3, 'int32');
    step.apply({[variablesOf(model)[0]?.name as string]: gradient});
    expect(new Set(model.getWeights()[0]?.dataSync())).toEqual(new Set([-3]));
    gradient.dispose();
    step.dispose();
    model.dispose();
  });
});
