import {
  customGrad,
  grad,
  memory,
  mul,
  square,
  sum,
  type Tensor,
  tensor1d,
  tensor2d,
  train,
  zeros,
} from '@tensorflow/tfjs-core';
import {type LayersModel, layers, type Sequential, sequential} from '@tensorflow/tfjs-layers';
import {all, categoricalCrossentropy, ohemStep, type PerSampleLoss, randomK, type Selector, topK} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const STRATEGIES = ['masked', 'recompute', 'pruned', 'auto'] as const;

/** Without statistics where rows must not interact. */
const withStatistics = (backward: (typeof STRATEGIES)[number]): Sequential =>
  sequential({
    layers: [
      layers.dense({units: 3, inputShape: [2], activation: 'relu'}),
      backward === 'recompute' ? layers.layerNormalization() : layers.batchNormalization(),
      layers.dropout({rate: 0.3}),
      layers.dense({units: 2, activation: 'softmax'}),
    ],
  });

describeOnBackends('The memory of ohemStep', (backendName) => {
  describe.each(STRATEGIES)('by %s', (backward) => {
    it('is the same after 200 steps', async () => {
      for (const [model, select] of [
        [tinyModel(), topK({k: 2})],
        [withStatistics(backward), randomK({ratio: 0.5})],
      ] as const) {
        const [xs, ys, sampleWeight] = [tinyXs(), tinyYs(), tensor1d([1, 2, 1, 2, 1, 2])];
        const step = ohemStep(model, {
          loss: categoricalCrossentropy(),
          select,
          optimizer: train.adam(0.01),
          clipNorm: 1,
          backward,
        });
        step(xs, ys).dispose();
        const before = memory();
        for (let t = 0; t < 100; t++) {
          step(xs, ys, {sampleWeight, classWeight: {1: 2}}).dispose();
          if (t % 20 === 0) await step(xs, ys).read();
        }
        const after = memory();
        expect([after.numTensors, after.numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
      }
    });

    const failures: Record<string, {fail(options: FailingStep): void; message: string}> = {
      'a loss that throws': {
        message: 'no loss today',
        fail: (parts) => {
          parts.loss = () => {
            throw new Error('no loss today');
          };
        },
      },
      'a loss that returns a scalar': {
        message: 'ohemStep: loss must return one value for each row',
        fail: (parts) => {
          parts.loss = (yTrue, yPred) => sum(mul(yTrue, yPred));
        },
      },
      'a selector that throws': {
        message: 'no selection today',
        fail: (parts) => {
          parts.select = () => {
            throw new Error('no selection today');
          };
        },
      },
      'a selector that returns rows that are not there': {
        message: 'ohemStep: select must return indices from 0 to 5, got 6 at position 1.',
        fail: (parts) => {
          parts.select = () => ({indices: tensor1d([0, 6], 'int32'), weights: tensor1d([1, 1])});
        },
      },
      'a gradient that throws': {
        message: 'no gradient today',
        fail: (parts) => {
          const failing = customGrad((x) => ({
            value: sum(square(x as Tensor), -1),
            gradFunc: () => {
              throw new Error('no gradient today');
            },
          }));
          parts.loss = (_, yPred) => failing(yPred);
        },
      },
      'an optimizer that throws': {
        message: 'no update today',
        fail: (parts) => {
          parts.optimizer.applyGradients = () => {
            throw new Error('no update today');
          };
        },
      },
      'a batch of the wrong shape': {
        message: 'ohemStep: xs must have the shape of the input',
        fail: (parts) => {
          parts.xs = zeros([6, 3]);
        },
      },
    };

    it.each(Object.keys(failures))(
      'is the same after a step that throws for %s, and so are weights and gradients',
      (name) => {
        const {fail, message} = failures[name] as (typeof failures)[string];
        const model = withStatistics(backward);
        const parts: FailingStep = {
          xs: tinyXs(),
          loss: categoricalCrossentropy(),
          select: topK({k: 2}),
          optimizer: train.momentum(0.1, 0.9),
        };
        fail(parts);
        const ys = tinyYs();
        const {xs, ...options} = parts;
        const step = ohemStep(model, {...options, backward});
        const weights = weightValues(model);
        const before = memory();
        for (let attempt = 0; attempt < 3; attempt++) expect(() => step(xs, ys)).toThrow(message);
        // Rows that a selector makes belong to the tidy of the step.
        expect([memory().numTensors, memory().numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
        expect(weightValues(model)).toEqual(weights);
        expect(() => grad((x) => sum(square(x)))(tensor1d([1, 2])).dataSync()).not.toThrow();
      },
    );
  });

  if (backendName === 'wasm') {
    it('is the same after a backward pass that the backend has no kernel for', () => {
      const model: LayersModel = sequential({
        layers: [
          layers.conv2d({filters: 2, kernelSize: 2, inputShape: [4, 4, 1]}),
          layers.flatten(),
          layers.dense({units: 2, activation: 'softmax'}),
        ],
      });
      const [xs, ys] = [zeros([3, 4, 4, 1]), tensor2d([1, 0, 0, 1, 1, 0], [3, 2])];
      const step = ohemStep(model, {
        loss: categoricalCrossentropy(),
        select: all(),
        optimizer: train.sgd(0.1),
        backward: 'masked',
      });
      const before = memory().numTensors;
      expect(() => step(xs, ys)).toThrow('Conv2DBackpropFilter');
      expect(memory().numTensors).toBe(before);
    });
  }
});

interface FailingStep {
  xs: Tensor;
  loss: PerSampleLoss;
  select: Selector;
  optimizer: ReturnType<typeof train.momentum>;
}
