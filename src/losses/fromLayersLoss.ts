import type {Tensor} from '@tensorflow/tfjs-core';
import {input, layers, model, type SymbolicTensor} from '@tensorflow/tfjs-layers';
import {typeError} from '../checks';
import type {LossName, PerSampleLoss} from '../types';
import {ofLastAxis, rowwise} from './formula';

/** A loss function in the form that `model.compile` accepts. */
export type LayersLoss = (yTrue: Tensor, yPred: Tensor) => Tensor;

/**
 * Wraps a tfjs-layers loss, given by name or as a function, as a per-sample loss.
 *
 *     l = layersLoss(yTrue, yPred)
 *
 * For your own losses and the two tfjs losses without a counterpart here:
 * `'meanAbsolutePercentageError'` and `'meanSquaredLogarithmicError'`. The tfjs numerics stay as
 * they are: its cross-entropies clip at 1e-7 and give the hardest examples no gradient. For those
 * prefer {@link categoricalCrossentropy}, {@link sparseCategoricalCrossentropy} and
 * {@link binaryCrossentropy}.
 *
 * @param idOrFunction  a name that `model.compile({loss})` takes, or a function
 *   `(yTrue, yPred) → float32[B]` or `float32[B, …]`.
 * @returns a loss, `(yTrue, yPred) → float32[B]` or `float32[B, …]`.
 * @throws TypeError if tfjs has no loss of that name (when it is built), or if the loss is a scalar
 *   (when it is called).
 *
 * @example
 * const loss = fromLayersLoss('meanAbsolutePercentageError');
 * loss(tf.tensor2d([[4, 2]]), tf.tensor2d([[3, 2]])).dataSync();   // Float32Array [12.5]
 */
export function fromLayersLoss(idOrFunction: LossName | LayersLoss): PerSampleLoss {
  const loss = typeof idOrFunction === 'function' ? idOrFunction : layersLossNamed(idOrFunction);
  const perSample: PerSampleLoss = (yTrue, yPred) => {
    const losses = loss(yTrue, yPred);
    if (losses.rank === 0) {
      losses.dispose();
      const remedy = 'Leave out the mean or the sum over the batch.';
      throw typeError('fromLayersLoss', 'loss', 'return one value for each example, [B] or [B, …]', 'a scalar', remedy);
    }
    return losses;
  };
  return typeof idOrFunction === 'string' ? rowwise(ofLastAxis(perSample)) : perSample;
}

/**
 * Finds a loss by name through a compiled model, because tfjs-layers exports no table of losses.
 */
function layersLossNamed(id: string): LayersLoss {
  // Named layers do not advance the numbering of the user's layers (dense_1, dense_2, …).
  // A Sequential does not expose its losses.
  const inputs = input({name: 'ohem_loss_probe_input', shape: [1]});
  const identity = layers.activation({name: 'ohem_loss_probe_identity', activation: 'linear'});
  const probe = model({name: 'ohem_loss_probe', inputs, outputs: identity.apply(inputs) as SymbolicTensor});
  try {
    if (typeof id !== 'string') throw id;
    // Adagrad creates no tensor before its first step: no backend is needed, nothing to dispose.
    probe.compile({optimizer: 'adagrad', loss: id});
    return probe.lossFunctions[0] as LayersLoss;
  } catch {
    const remedy = 'Pass a function (yTrue, yPred) => Tensor instead.';
    const constraint = 'be the name of a loss of tfjs-layers, or a function';
    throw typeError('fromLayersLoss', 'idOrFunction', constraint, id, remedy);
  }
}
