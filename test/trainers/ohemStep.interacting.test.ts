/** @file Models whose rows look at one another, keep a state, or have gradients that are not finite. */
import {
  add,
  env,
  matMul,
  mean,
  mul,
  randomNormal,
  reverse,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  tensor1d,
  tidy,
  train,
  transpose,
} from '@tensorflow/tfjs-core';
import {input, type LayersModel, layers, model, type SymbolicTensor, sequential} from '@tensorflow/tfjs-layers';
import {all, categoricalCrossentropy, meanSquaredError, ohemStep, type PerSampleLoss, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectSameDirection} from '../support/close';
import {repeatably} from '../support/property';
import {recordingOptimizer} from '../support/recordingOptimizer';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

enableWasmTraining();

/** A layer that computes `f`, with nothing to train. */
function lambda(f: (x: Tensor2D, call: number) => Tensor): {apply(x: SymbolicTensor): unknown} {
  const layer = layers.activation({activation: 'linear'});
  let calls = 0;
  layer.call = (inputs) => {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor2D;
    return tidy(() => f(x, calls++));
  };
  return layer;
}

function withLayer(...between: {apply(x: SymbolicTensor): unknown}[]): LayersModel {
  const x = input({shape: [4]});
  const first = layers.dense({units: 5, activation: 'tanh', kernelInitializer: 'ones'}).apply(x) as SymbolicTensor;
  const middle = between.reduce((at, layer) => layer.apply(at) as SymbolicTensor, first);
  const last = layers.dense({units: 3, activation: 'softmax', kernelInitializer: 'leCunNormal'});
  return model({inputs: x, outputs: last.apply(middle) as SymbolicTensor});
}

const alternating = () => lambda((x, call) => (call % 2 === 0 ? mul(x, 1) : add(mul(x, 1), 0)));

const INTERACTING: Record<string, () => LayersModel> = {
  'a softmax over the batch': () => withLayer(lambda((x) => transpose(softmax(transpose(x))))),
  'rows added to the rows in reverse': () => withLayer(lambda((x) => add(x, reverse(x, 0)))),
  'attention over the batch': () => withLayer(lambda((x) => matMul(softmax(matMul(x, x, false, true)), x))),
  'batch normalisation beside ops that alternate': () => withLayer(layers.batchNormalization(), alternating()),
};

describeOnBackends('ohemStep', () => {
  it.each(Object.entries(INTERACTING))('gives the gradients of masked by auto for %s', (_, build) => {
    const [xs, ys] = [randomNormal([16, 4], 0, 1, 'float32', 3), softmax(randomNormal([16, 3], 0, 4, 'float32', 4))];
    const built = repeatably(build);
    const gradientsBy = (backward: 'auto' | 'masked') => {
      const recording = recordingOptimizer();
      const step = ohemStep(built, {
        loss: categoricalCrossentropy(),
        select: topK({k: 2}),
        optimizer: recording.optimizer,
        backward,
      });
      step(xs, ys).dispose();
      step(xs, ys).dispose();
      return {gradients: recording.gradients, step};
    };
    const [masked, auto] = [gradientsBy('masked'), gradientsBy('auto')];
    expect(auto.step.strategy, auto.step.why).not.toBe('recompute');
    auto.gradients.forEach((gradient, i) => {
      expectSameDirection(gradient, masked.gradients[i] as Tensor, 1e-5);
    });
  });

  it('still takes recompute where an op cannot be cut, and rows are known not to interact', () => {
    const x = input({shape: [6, 3]});
    const steps = layers
      .simpleRNN({units: 4, returnSequences: true, recurrentInitializer: 'glorotNormal'})
      .apply(x) as SymbolicTensor;
    const flat = layers.flatten().apply(steps) as SymbolicTensor;
    const outputs = layers.dense({units: 3, activation: 'softmax'}).apply(flat) as SymbolicTensor;
    const built = model({inputs: x, outputs});
    const step = ohemStep(built, {loss: categoricalCrossentropy(), select: topK({k: 1}), optimizer: train.sgd(0.1)});
    step(randomNormal([16, 6, 3]), softmax(randomNormal([16, 3]))).dispose();
    expect(step.why).toContain('recompute');
  });

  it('says masked, and why, of the step in which the ops were others than those planned for', () => {
    let isLater = false;
    const built = withLayer(lambda((x) => (isLater ? add(mul(x, 1), 0) : mul(x, 1))));
    const step = ohemStep(built, {loss: meanSquaredError(), select: topK({k: 2}), optimizer: train.sgd(0.1)});
    const [xs, ys] = [randomNormal([16, 4]), randomNormal([16, 3])];
    step(xs, ys).dispose();
    expect(step.strategy).toBe('pruned');
    isLater = true;
    step(xs, ys).dispose();
    expect([step.strategy, step.why]).toEqual(['masked', 'the ops of the model changed from one batch to the next']);
  });

  it('trains a recurrent layer that keeps its state, which moves once a step', () => {
    const build = () => {
      const layer = layers.simpleRNN({
        units: 3,
        stateful: true,
        batchInputShape: [8, 2, 3],
        kernelInitializer: 'ones',
        recurrentInitializer: 'identity',
      });
      return sequential({layers: [layer, layers.dense({units: 2, activation: 'softmax', kernelInitializer: 'ones'})]});
    };
    const [xs, ys] = [randomNormal([8, 2, 3], 0, 1, 'float32', 5), softmax(randomNormal([8, 2], 0, 3, 'float32', 6))];
    const [ours, theirs] = [build(), build()];
    const step = ohemStep(ours, {loss: categoricalCrossentropy(), select: all(), optimizer: train.sgd(0.1)});
    theirs.compile({optimizer: train.sgd(0.1), loss: 'categoricalCrossentropy'});
    const trained = async () => {
      for (let i = 0; i < 3; i++) {
        step(xs, ys).dispose();
        await theirs.trainOnBatch(xs, ys);
      }
      weightValues(ours).forEach((values, i) => {
        expectSameDirection(tensor1d(values), tensor1d(weightValues(theirs)[i] as number[]), 1e-4);
      });
    };
    return trained();
  });

  it.each(['masked', 'pruned', 'recompute'] as const)(
    'changes nothing by %s where losses are finite and gradients are not',
    (backward) => {
      // √0 has no finite gradient: the first rows are right already.
      const distance: PerSampleLoss = (yTrue, yPred) => sqrt(sum(square(sub(yPred, yTrue)), 1));
      const built = tinyModel();
      const before = weightValues(built);
      const ys = built.predict(tinyXs()) as Tensor;
      const step = ohemStep(built, {
        loss: distance,
        select: topK({k: 4}),
        optimizer: train.momentum(0.1, 0.9),
        backward,
      });
      const report = step(tinyXs(), ys);
      expect([...report.selection.weights.dataSync()]).toEqual([0, 0, 0, 0]);
      expect(weightValues(built)).toEqual(before);
      const mended = ohemStep(built, {loss: meanSquaredError(), select: all(), optimizer: train.sgd(0.1), backward});
      mended(tinyXs(), tinyYs()).dispose();
      expect(weightValues(built).flat().every(Number.isFinite)).toBe(true);
      expect(weightValues(built)).not.toEqual(before);
    },
  );

  it('refuses names that nobody knows beside a batch', () => {
    const step = ohemStep(tinyModel(), {loss: meanSquaredError(), optimizer: train.sgd(0.1)});
    const names =
      'sampleWeight, classWeight, step, valid, positive, group, boxes, reference, yTrue, yPred, memory, schedule';
    expect(() => step(tinyXs(), tinyYs(), {sampleWeights: tensor1d([1])} as never)).toThrow(
      new TypeError(`ohemStep: options must have the names ${names}, got sampleWeights.`),
    );
  });

  it('does not train the other way on a negative weight that nobody looks at', () => {
    env().set('PROD', true);
    try {
      const [one, other] = [tinyModel(), tinyModel()];
      for (const [built, weight] of [
        [one, -3],
        [other, 0],
      ] as const) {
        const step = ohemStep(built, {loss: meanSquaredError(), select: all(), optimizer: train.sgd(0.1)});
        step(tinyXs(), tinyYs(), {sampleWeight: tensor1d([1, 1, weight, 1, 1, 1])}).dispose();
      }
      expect(weightValues(one)).toEqual(weightValues(other));
      expect(mean(tensor1d(weightValues(one).flat())).dataSync()[0]).not.toBeNaN();
    } finally {
      env().set('PROD', false);
    }
  });
});
