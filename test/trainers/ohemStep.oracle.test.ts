import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {halfSquaredError, ohemStep, type Reduction, topK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import oracle from '../fixtures/mlp_steps.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';

describeOnBackends('ohemStep against 20 steps of torch', () => {
  for (const strategy of ['masked', 'recompute', 'pruned', 'auto'] as const) {
    it.each(oracle.cases)(
      `follows $name by ${strategy}`,
      async ({params, selected_per_step, mean_loss_of_selected_per_step, final}) => {
        const model = tfl.sequential({
          layers: [
            tfl.layers.dense({units: 16, activation: 'sigmoid', inputShape: [12]}),
            tfl.layers.dense({units: 4, activation: 'softmax'}),
          ],
        });
        const {W1, b1, W2, b2} = oracle.initial;
        model.setWeights([tf.tensor2d(W1), tf.tensor1d(b1), tf.tensor2d(W2), tf.tensor1d(b2)]);
        const step = ohemStep(model, {
          loss: halfSquaredError(),
          select: topK({k: params.k}),
          optimizer: tf.train.sgd(params.lr),
          reduction: params.reduction as Reduction,
          backward: strategy,
        });
        const xs = tf.tensor2d(oracle.data.X),
          ys = tf.tensor2d(oracle.data.Y_onehot);
        for (let t = 0; t < params.steps; t++) {
          const report = step(xs, ys);
          expect([...report.selection.indices.dataSync()].sort((a, b) => a - b)).toEqual(selected_per_step[t]);
          const {loss} = await report.read();
          expect(params.reduction === 'sum' ? loss / params.k : loss).toBeCloseTo(
            Number(mean_loss_of_selected_per_step[t]),
            5,
          );
        }
        const expected = [final.W1.flat(), final.b1, final.W2.flat(), final.b2];
        for (const [i, weight] of model.getWeights().entries()) {
          expectClose(weight, expected[i] as number[], {absolute: 2e-6, relative: 2e-4});
        }
      },
    );
  }
});
