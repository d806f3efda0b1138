import {tidy} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';

/** How `step.why` ends if the step was replayed. */
export const REPLAYED = 'the kernels of an earlier step run again';

/** A model of which every step runs on a tape: a layer that is patched may do anything. */
function unrecorded(model: LayersModel): LayersModel {
  const [layer] = model.layers as [LayersModel['layers'][number]];
  layer.call = layer.call.bind(layer);
  return model;
}

/**
 * Two models with the same weights. Steps over the first may be recorded, over the second never.
 */
export function twins(build: () => LayersModel): [LayersModel, LayersModel] {
  const [one, other] = [build(), unrecorded(build())];
  tidy(() => other.setWeights(one.getWeights()));
  return [one, other];
}

/** The bits of all weights of a model, in an order that freezing a layer does not change. */
export function bitsOf(model: LayersModel): number[][] {
  return model.layers.flatMap(({weights}) =>
    weights.map((weight) => [...new Int32Array(weight.read().dataSync().buffer)]),
  );
}
