import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {all, fitOhem, meanSquaredError} from 'ohem-tfjs';
import {expect, it, vi} from 'vitest';
import {describeOnDevice} from '../support/backends';

describeOnDevice('A metric of one number for a batch, on a device', () => {
  it('is not spoilt by a row that is left out', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const model = sequential({layers: [layers.dense({units: 1, inputShape: [1], kernelInitializer: 'ones'})]});
    const largest = (truth: tf.Tensor, predicted: tf.Tensor) => tf.max(tf.abs(tf.sub(predicted, truth)));
    model.compile({optimizer: 'sgd', loss: 'meanSquaredError', metrics: [largest]});
    const y = tf.tensor2d([[0], [0], [0], [Number.NaN]]);
    const args = {loss: meanSquaredError(), select: all(), learningRate: 0, verbose: 0} as const;
    const {history} = await fitOhem(model, tf.tensor2d([[1], [2], [3], [5]]), y, args);
    expect(history.largest).toEqual([3]);
    warn.mockRestore();
  });

  it('is named once if rows are said not to count, unless zeros change nothing in it', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      const fitted = async (metrics: unknown[]) => {
        const model = sequential({layers: [layers.dense({units: 1, inputShape: [1], kernelInitializer: 'ones'})]});
        model.compile({optimizer: 'sgd', loss: 'meanSquaredError', metrics: metrics as never});
        const context = {valid: tf.tensor1d([1, 1, 0, 1])};
        const args = {select: all(), epochs: 2, batchSize: 2, verbose: 0, context} as const;
        await fitOhem(model, tf.ones([4, 1]), tf.ones([4, 1]), args);
      };
      const farthest = (truth: tf.Tensor, predicted: tf.Tensor) => tf.max(tf.abs(tf.sub(predicted, truth)));
      await fitted(['precision', 'mae']);
      expect(warn).not.toHaveBeenCalled();
      await fitted([farthest]);
      expect(warn.mock.calls).toEqual([
        [
          expect.stringContaining(
            'fitOhem: the metric farthest returns one number for the whole batch, and sees zeros',
          ),
        ],
      ]);
    } finally {
      warn.mockRestore();
    }
  });
});
