import type {Variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';

/**
 * All weights of a model in an order that stays as it is when a layer is frozen: `model.weights` has those first that are trained now.
 */
export function weightsOf(model: LayersModel): Variable[] {
  const weights = model.layers.flatMap((layer) => [...layer.weights].sort((a, b) => a.id - b.id));
  return weights.map((weight) => weight.read() as Variable);
}
