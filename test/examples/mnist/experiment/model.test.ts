import {createHash} from 'node:crypto';
import {moments, type Tensor, tidy} from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {referenceModel} from '../../../../examples/mnist/experiment/model';
import {describeOnBackends} from '../../../support/backends';

/** Quicker to compare than arrays of 800,000 numbers. */
const hashesOf = (weights: Tensor[]) =>
  weights.map((weight) => createHash('sha256').update(weight.dataSync()).digest('hex'));

describeOnBackends('referenceModel', () => {
  it('has 784 inputs, 1024 sigmoid units and 10 softmax outputs', () => {
    const model = referenceModel(1);
    expect(model.getWeights().map(({shape}) => shape)).toEqual([[784, 1024], [1024], [1024, 10], [10]]);
    expect(model.layers.map((layer) => layer.getConfig().activation)).toEqual(['sigmoid', 'softmax']);
    model.dispose();
  });

  it('starts with truncated normal weights and biases of 0', () => {
    const model = referenceModel(1);
    const [hidden, hiddenBias, output, outputBias] = model.getWeights() as [Tensor, Tensor, Tensor, Tensor];
    for (const [kernel, stddev] of [
      [hidden, 1 / 1024],
      [output, 1 / 10],
    ] as const) {
      const values = kernel.dataSync();
      const {mean, variance} = tidy(() => {
        const {mean, variance} = moments(kernel);
        return {mean: mean.dataSync()[0] as number, variance: variance.dataSync()[0] as number};
      });
      expect(Math.abs(mean)).toBeLessThan(stddev / 20);
      // Cut off at two standard deviations, a normal distribution keeps 0.774 of its variance.
      expect(variance / stddev ** 2).toBeCloseTo(0.774, 1);
      expect(values.every((value) => Math.abs(value) <= 2 * stddev)).toBe(true);
    }
    expect(hiddenBias.dataSync().every((value) => value === 0)).toBe(true);
    expect(outputBias.dataSync().every((value) => value === 0)).toBe(true);
    model.dispose();
  });

  it.each([0, 2 ** 32 - 1])('starts with the same weights for the same seed %i, with others for another', (seed) => {
    const models = [referenceModel(seed), referenceModel(seed), referenceModel(seed + 1)];
    const [one, same, other] = models.map((model) => hashesOf(model.getWeights()));
    expect(one).toEqual(same);
    expect(one?.[0]).not.toEqual(other?.[0]);
    expect(one?.[2]).not.toEqual(other?.[2]);
    for (const model of models) model.dispose();
  });
});
