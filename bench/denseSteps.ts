import {
  keep,
  matMul,
  mean,
  type Optimizer,
  oneHot,
  randomUniform,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  tensor1d,
  tidy,
  train,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {all, halfSquaredError, ohemStep, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import type {Contestant} from './interleaved';

/** The reference model, 784-1024-10. */
export function referenceModel(): LayersModel {
  const model = sequential({
    layers: [
      layers.dense({units: 1024, activation: 'sigmoid', inputShape: [784]}),
      layers.dense({units: 10, activation: 'softmax'}),
    ],
  });
  // So small a rate leaves the weights as they are: every step is the same work.
  model.compile({optimizer: train.sgd(1e-9), loss: 'meanSquaredError'});
  return model;
}

/** Random rows with labels, `float32[n, 784]` and `float32[n, 10]`, kept. */
export function randomBatch(n: number): {xs: Tensor; ys: Tensor} {
  const labels = tensor1d(
    Array.from({length: n}, (_, row) => row % 10),
    'int32',
  );
  return {xs: keep(randomUniform([n, 784], 0, 1, 'float32', 1)), ys: keep(oneHot(labels, 10))};
}

/** What anybody writes today: `trainOnBatch` on the kernels of tfjs, and the same step by hand on ours. */
export function stockSteps(model: LayersModel, batch: {xs: Tensor; ys: Tensor}): Contestant[] {
  const enable = () => void enableWasmTraining();
  const optimizer = model.optimizer as Optimizer;
  return [
    {
      name: 'trainOnBatch, stock kernels',
      everyRounds: 5,
      prepare: () => enableWasmTraining()(),
      run: () => model.trainOnBatch(batch.xs, batch.ys),
    },
    {name: 'trainOnBatch', prepare: enable, run: () => model.trainOnBatch(batch.xs, batch.ys)},
    {
      name: 'stock step',
      prepare: enable,
      run: () =>
        tidy(() => {
          const variables = model.trainableWeights.map((weight) => weight.read() as Variable);
          const {grads} = variableGrads(
            () => mean(sum(square(sub(model.apply(batch.xs, {training: true}) as Tensor, batch.ys)), 1)),
            variables,
          );
          optimizer.applyGradients(grads);
        }),
    },
  ];
}

/** Our steps: every row, and `k` of `n` by each strategy. */
export function miningSteps(
  model: LayersModel,
  batches: Map<number, {xs: Tensor; ys: Tensor}>,
  pairs: [n: number, k: number][],
): Contestant[] {
  return pairs.flatMap(([n, k]) => {
    const {xs, ys} = batches.get(n) as {xs: Tensor; ys: Tensor};
    return (['masked', 'recompute', 'pruned'] as const).map((backward) => {
      const step = ohemStep(model, {loss: halfSquaredError(), select: k === n ? all() : topK({k}), backward});
      return {
        name: `${n}/${k} ${backward}`,
        prepare: () => void enableWasmTraining(),
        run: () => step(xs, ys).dispose(),
      };
    });
  });
}

/**
 * The matrix products that a step cannot do without: `n` rows forward, weight gradients of `k` rows, input gradients of `k` rows
 * but not for the first layer.
 */
export function floor(n: number, k: number): Contestant {
  const matrix = (rows: number, columns: number): Tensor2D => keep(randomUniform([rows, columns]));
  const [x, hidden, w1, w2] = [matrix(n, 784), matrix(n, 1024), matrix(784, 1024), matrix(1024, 10)];
  const [keptX, keptHidden, dHidden, dOut] = [matrix(k, 784), matrix(k, 1024), matrix(k, 1024), matrix(k, 10)];
  return {
    name: `${n}/${k} products alone`,
    prepare: () => void enableWasmTraining(),
    run: () =>
      tidy(() => {
        matMul(x, w1);
        matMul(hidden, w2);
        matMul(keptHidden, dOut, true);
        matMul(dOut, w2, false, true);
        matMul(keptX, dHidden, true);
      }),
  };
}
