import {
  add,
  dispose,
  keep,
  matMul,
  mean,
  type Optimizer,
  randomUniform,
  type Scalar,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  tidy,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import * as ohem from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import type {Contestant} from './interleaved';
import type {Batch} from './models';

export const STRATEGIES = ['masked', 'recompute', 'pruned'] as const;

const enable = () => void enableWasmTraining();

/** `trainOnBatch` on the kernels that tfjs comes with. */
export function onStockKernels(model: LayersModel, {xs, ys}: Batch): Contestant {
  const prepare = () => enableWasmTraining()();
  return {name: 'stock kernels', isSlow: true, prepare, run: () => model.trainOnBatch(xs, ys)};
}

/** What anybody writes today: a step by `tf.variableGrads` over all rows. Gives its loss. */
export function plainStep(model: LayersModel, {xs, ys}: Batch): Scalar {
  return tidy(() => {
    const variables = model.trainableWeights.map((weight) => weight.read() as Variable);
    const loss = () => mean<Scalar>(sum(square(sub(model.apply(xs, {training: true}) as Tensor, ys)), 1));
    const {value, grads} = variableGrads(loss, variables);
    (model.optimizer as Optimizer).applyGradients(grads);
    return value;
  });
}

/** A plain step on our kernels. */
export function stockStep(model: LayersModel, batch: Batch): Contestant {
  return {name: `stock ${batch.xs.shape[0]}`, prepare: enable, run: () => plainStep(model, batch).dispose()};
}

/** The forward pass alone, in inference mode. */
export function forward(model: LayersModel, {xs}: Batch): Contestant {
  return {name: `forward ${xs.shape[0]}`, prepare: enable, run: () => tidy(() => void model.apply(xs))};
}

/** What a build of this library has to offer to be timed. */
export type Build = Pick<typeof import('ohem-tfjs'), 'all' | 'halfSquaredError' | 'ohemStep' | 'topK'>;

/**
 * `k` of the rows by each strategy, by this build of the library or by another one, which is named.
 */
export function miningSteps(model: LayersModel, {xs, ys}: Batch, k: number, by: Build = ohem, name = ''): Contestant[] {
  const n = xs.shape[0] as number;
  return STRATEGIES.map((backward) => {
    const step = by.ohemStep(model, {loss: by.halfSquaredError(), select: k === n ? by.all() : by.topK({k}), backward});
    return {name: `${n}/${k} ${backward}${name}`, prepare: enable, run: () => step(xs, ys).dispose()};
  });
}

/**
 * The matrix products that a step of dense layers cannot do without: `n` rows forward, weight
 * gradients of `k` rows, input gradients of `k` rows but not for the first layer. Each run has its
 * factors anew, as a step has: wasm packs weights that it has not seen, and some addresses are
 * slow.
 */
export function floor(widths: readonly number[], n: number, k: number): Contestant {
  const matrix = (rows: number, columns: number): Tensor2D => keep(randomUniform([rows, columns]));
  const layers = widths.slice(1).map((outputs, layer) => {
    const inputs = widths[layer] as number;
    return {x: matrix(n, inputs), w: matrix(inputs, outputs), keptX: matrix(k, inputs), dy: matrix(k, outputs)};
  });
  let copies: typeof layers = [];
  const prepare = () => {
    enable();
    dispose(copies.map((layer) => Object.values(layer)));
    copies = layers.map(({x, w, keptX, dy}) => ({x: add(x, 0), w: add(w, 0), keptX: add(keptX, 0), dy: add(dy, 0)}));
  };
  const run = () =>
    tidy(() => {
      for (const [layer, {x, w, keptX, dy}] of copies.entries()) {
        matMul(x, w);
        matMul(keptX, dy, true);
        if (layer > 0) matMul(dy, w, false, true);
      }
    });
  return {name: `${n}/${k} floor`, prepare, run};
}
