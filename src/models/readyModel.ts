import type {LayersModel, Sequential} from '@tensorflow/tfjs-layers';
import {typeError} from '../checks';

/** Checks that something is a model, and builds it if it has not been built yet. */
export function readyModel(where: string, model: LayersModel): void {
  try {
    // A Sequential has no names for its outputs before something needs them.
    if (model.outputNames.length === 0) (model as Sequential).build();
  } catch {
    throw typeError(where, 'model', 'be a LayersModel that can be built', model, 'Give its first layer an inputShape.');
  }
}
