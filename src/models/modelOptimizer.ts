import type {Optimizer} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {typeError} from '../checks';

/** Finds the optimizer of a model: the given one, or the one that it was compiled with. */
export function modelOptimizer(
  where: string,
  model: LayersModel,
  given: Optimizer | undefined,
  remedy: string,
): Optimizer {
  const optimizer: Optimizer | undefined = given ?? model.optimizer;
  if (typeof optimizer?.applyGradients === 'function') return optimizer;
  throw typeError(where, 'optimizer', 'be given, or the model be compiled with one', optimizer, remedy);
}
