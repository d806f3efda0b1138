import {argMax, cast, equal, gather, slice, sum, type Tensor2D, tidy, train} from '@tensorflow/tfjs-core';
import {initializers, layers, regularizers, sequential} from '@tensorflow/tfjs-layers';
import {categoricalCrossentropy, ohemStep} from 'ohem-tfjs';
import {SeededDropout} from './seededDropout';
import type {SgdOptions, Trainee} from './trainee';

/** Images that are classified at a time: the maps of more take a lot of memory. */
const CHUNK = 500;

/**
 * The LeNet of Kawaguchi & Lu, on images of 28 × 28.
 *
 *     conv 64 @ 5×5 → max-pool 2 → ReLU → conv 64 @ 5×5 → max-pool 2 → ReLU → dense 1024 → ReLU → dropout 0.5 → dense 10
 *
 * First weights are PyTorch's: uniform within ±1/√inputs of a unit.
 */
export function leNet({seed, learningRate, momentum, weightDecay, select}: SgdOptions): Trainee {
  let draws = 0;
  /** Weight decay λ is an L2 regulariser of λ/2, on biases too. */
  const parameters = (inputs: number) => {
    const draw = () => {
      draws++;
      return initializers.randomUniform({
        minval: -1 / Math.sqrt(inputs),
        maxval: 1 / Math.sqrt(inputs),
        seed: 100 * seed + draws,
      });
    };
    const decay = () => regularizers.l2({l2: weightDecay / 2});
    return {
      kernelInitializer: draw(),
      biasInitializer: draw(),
      kernelRegularizer: decay(),
      biasRegularizer: decay(),
    };
  };
  const model = sequential({
    layers: [
      layers.reshape({inputShape: [784], targetShape: [28, 28, 1]}),
      layers.conv2d({filters: 64, kernelSize: 5, ...parameters(25)}),
      layers.maxPooling2d({poolSize: 2}),
      layers.reLU(),
      layers.conv2d({filters: 64, kernelSize: 5, ...parameters(64 * 25)}),
      layers.maxPooling2d({poolSize: 2}),
      layers.reLU(),
      layers.flatten(),
      layers.dense({units: 1024, activation: 'relu', ...parameters(1024)}),
      new SeededDropout(0.5, seed),
      layers.dense({units: 10, ...parameters(1024)}),
    ],
  });
  const optimizer = train.momentum(learningRate, momentum);
  const step = ohemStep(model, {loss: categoricalCrossentropy({fromLogits: true}), select, optimizer});

  return {
    step(set, rows, state) {
      tidy(() => {
        step(gather(set.xs, rows), gather(set.ys, rows), {schedule: state}).dispose();
      });
    },
    async accuracy({xs, ys}, as) {
      const count = xs.shape[0];
      let right = 0;
      for (let start = 0; start < count; start += CHUNK) {
        const size = Math.min(CHUNK, count - start);
        const hits = tidy(() => {
          const logits = model.apply(slice(xs, [start, 0], [size, -1]), {training: as === 'in training'}) as Tensor2D;
          return sum(cast(equal(argMax(logits, 1), argMax(slice(ys, [start, 0], [size, -1]), 1)), 'int32'));
        });
        right += (await hits.data())[0] as number;
        hits.dispose();
      }
      return right / count;
    },
    setLearningRate: (rate) => optimizer.setLearningRate(rate),
    dispose() {
      step.dispose();
      optimizer.dispose();
      model.dispose();
    },
  };
}
