import {relu, sqrt, sum, tensor2d, zeros} from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {fitOhem, meanSquaredError, type PerSampleLoss} from 'ohem-tfjs';
import {expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {weightValues} from '../support/tinyModel';

describeOnBackends('fitOhem with gradients that are not finite', () => {
  const build = () =>
    sequential({layers: [layers.dense({units: 1, inputShape: [1], kernelInitializer: 'zeros', useBias: false})]});
  /** √0 where a prediction is 0: a loss of 0, with a gradient of ∞ · 0. */
  const root: PerSampleLoss = (_, yPred) => sqrt(sum(relu(yPred), -1));
  const [x, y] = [() => tensor2d([1, 2, 3, 4], [4, 1]), () => zeros([4, 1])];

  it('changes nothing, says so once, and ends with the first epoch', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    try {
      const model = build();
      model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
      const ended = fitOhem(model, x(), y(), {loss: root, batchSize: 2, epochs: 3, verbose: 0, seed: 1});
      await expect(ended).rejects.toThrow(
        new RangeError(
          'fitOhem: gradients must be finite in at least one batch of an epoch, got none in epoch 0. ' +
            'Nothing was learned. Lower the learning rate, or look for an op without a finite gradient.',
        ),
      );
      expect(weightValues(model)).toEqual([[0]]);
      const said = warn.mock.calls.map(([text]) => String(text)).filter((text) => text.startsWith('fitOhem'));
      expect(said).toEqual([
        'fitOhem: the losses are finite, but the model has gradients or batch statistics that are not (epoch 0, batch 0). ' +
          'This batch leaves the weights unchanged, as will later ones like it. ' +
          'Lower the learning rate, or look for an op without a finite gradient, such as the root of 0.',
      ]);
    } finally {
      warn.mockRestore();
    }
  });

  it('does not warn about a run that learns', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    try {
      const model = build();
      model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
      await fitOhem(model, x(), x(), {loss: meanSquaredError(), epochs: 2, verbose: 0});
      expect(warn.mock.calls.filter(([text]) => String(text).startsWith('fitOhem'))).toEqual([]);
    } finally {
      warn.mockRestore();
    }
  });
});
