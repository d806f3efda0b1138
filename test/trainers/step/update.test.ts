import {dispose, SGDOptimizer, type Tensor, train} from '@tensorflow/tfjs-core';
import {all, categoricalCrossentropy, ohemStep} from 'ohem-tfjs';
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

describeOnBackends('The update by the SGD of tfjs', () => {
  it.each([0.1, 0.3, 1e-8, 0])('has the bits of the optimizer, at a rate of %d', (rate) => {
    expect(weightsBy(train.sgd(rate))).toEqual(weightsBy(new OtherSgd(rate)));
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

  it('leaves weights without a gradient, and their data, as they are', () => {
    const model = tinyModel();
    (model.layers[0] as {trainable: boolean}).trainable = true;
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
