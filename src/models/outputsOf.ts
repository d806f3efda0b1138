import type {Tensor} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';

/** Runs a model forward, and lists its outputs in their order. */
export function outputsOf(model: LayersModel, xs: Tensor[], training: boolean): Tensor[] {
  const outputs = model.apply(xs.length === 1 ? (xs[0] as Tensor) : xs, {training}) as Tensor | Tensor[];
  return Array.isArray(outputs) ? outputs : [outputs];
}
