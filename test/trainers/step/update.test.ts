import {dispose, randomNormal, SGDOptimizer, type Tensor, tensor, train, zeros} from '@tensorflow/tfjs-core';
import {initializers, input, layers, model, type SymbolicTensor, sequential} from '@tensorflow/tfjs-layers';
import {all, categoricalCrossentropy, halfSquaredError, ohemStep, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it, vi} from 'vitest';
import {describeOnBackends} from '../../support/backends';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../../support/tinyModel';

/** An SGD that is not the class of tfjs, so that the step calls it. */
class OtherSgd extends SGDOptimizer {}

/** The weights after each of some steps over all rows. */
function weightsBy(optimizer: SGDOptimizer, between: (step: number) => void = () => {}): number[][][] {
  const model = tinyModel();
  const step = ohemStep(model, {loss: categoricalCrossentropy(), select: all(), optimizer});
  const [xs, ys] = [tinyXs(), tinyYs()];
  const seen = Array.from({length: 5}, (_, i) => {
    between(i);
    step(xs, ys).dispose();
    return weightValues(model);
  });
  step.dispose();
  dispose([xs, ys]);
  optimizer.dispose();
  model.dispose();
  return seen;
}

describeOnBackends('The update by the SGD of tfjs', (backendName) => {
  it.each([0.1, 0.3, 1e-8, 0])('has the bits of the optimizer, at a rate of %d', (rate) => {
    expect(weightsBy(train.sgd(rate))).toEqual(weightsBy(new OtherSgd(rate)));
  });

  it.each([false, true])('has the bits of the optimizer for large weights, with our kernels: %s', (withKernels) => {
    const restore = withKernels && backendName === 'wasm' ? enableWasmTraining() : () => {};
    const updatedBy = (optimizer: SGDOptimizer) => {
      const kernelInitializer = initializers.randomNormal({seed: 1});
      const large = sequential({layers: [layers.dense({units: 90, inputShape: [101], kernelInitializer})]});
      const step = ohemStep(large, {loss: halfSquaredError(), select: topK({k: 3}), optimizer});
      const [xs, ys] = [randomNormal([6, 101], 0, 1, 'float32', 2), zeros([6, 90])];
      for (let i = 0; i < 3; i++) step(xs, ys).dispose();
      step.dispose();
      dispose([xs, ys]);
      return weightValues(large);
    };
    expect(updatedBy(train.sgd(0.3))).toEqual(updatedBy(new OtherSgd(0.3)));
    restore();
  });

  it('follows a rate that changes, and counts its steps', () => {
    const changing = (optimizer: SGDOptimizer) =>
      weightsBy(optimizer, (step) => optimizer.setLearningRate(0.5 / (step + 1)));
    const optimizer = train.sgd(1);
    expect(changing(optimizer)).toEqual(changing(new OtherSgd(1)));
    expect(optimizer.iterations).toBe(5);
  });

  it('is left to an optimizer that other code has changed', () => {
    const patched = vi.spyOn(SGDOptimizer.prototype, 'applyGradients');
    weightsBy(train.sgd(0.1));
    expect(patched).toHaveBeenCalledTimes(5);
    patched.mockRestore();
    const own = train.sgd(0.1);
    const calls = vi.spyOn(own, 'applyGradients');
    weightsBy(own);
    expect(calls).toHaveBeenCalledTimes(5);
  });

  it('changes a weight once, though its layer is in two models', () => {
    const updatedBy = (optimizer: SGDOptimizer) => {
      const shared = layers.dense({units: 2, inputShape: [2], kernelInitializer: 'identity'});
      const inner = sequential({layers: [shared]});
      const x = input({shape: [2]});
      const twice = shared.apply(inner.apply(x) as SymbolicTensor);
      const outer = model({inputs: x, outputs: layers.softmax().apply(twice) as SymbolicTensor});
      const step = ohemStep(outer, {loss: categoricalCrossentropy(), select: topK({k: 1}), optimizer});
      const [xs, ys] = [tensor([1, 0, 0, 1], [2, 2]), tensor([0, 1, 1, 0], [2, 2])];
      step(xs, ys).dispose();
      step.dispose();
      dispose([xs, ys]);
      return weightValues(outer);
    };
    const found = updatedBy(train.sgd(1));
    expect(found).toEqual(updatedBy(new OtherSgd(1)));
    expect(found[1]?.[1]).toBeCloseTo(1.4621, 3);
  });

  it('changes no weight at a rate of 0', () => {
    const model = tinyModel();
    const [kernel] = model.getWeights() as [Tensor];
    const before = kernel.dataSync().slice();
    const step = ohemStep(model, {loss: categoricalCrossentropy(), select: all(), optimizer: train.sgd(0)});
    const [xs, ys] = [tinyXs(), tinyYs()];
    step(xs, ys).dispose();
    expect(model.getWeights()[0]?.dataSync()).toEqual(before);
    step.dispose();
    dispose([xs, ys]);
    model.dispose();
  });
});
