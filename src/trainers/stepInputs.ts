import {mul, ones, type Tensor, type Tensor1D, tensor1d} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkRows, checkValues} from '../checks';
import type {Batch} from '../gradients/backwardPass';
import {byOutput, type PerOutput} from '../models/byOutput';
import {modelTensors, type StepTensors} from '../models/modelTensors';
import {type ClassWeights, classWeightRows} from './classWeights';

/** What a row counts: `float32[B]`, as a tensor or numbers; for several outputs one for all, a list or a record. */
export type SampleWeights = Tensor | ArrayLike<number> | Tensor[] | Record<string, Tensor>;

/** Checks what a step is given, and puts it in the order of the model. */
export function stepBatch(
  where: string,
  model: LayersModel,
  xs: StepTensors,
  ys: StepTensors,
  sampleWeight?: SampleWeights,
  classWeight?: ClassWeights,
): Batch {
  const tensors = modelTensors(where, model, xs, ys);
  return {...tensors, rowWeights: rowWeights(where, model, tensors.ys, sampleWeight, classWeight)};
}

function rowWeights(
  where: string,
  model: LayersModel,
  ys: Tensor[],
  sampleWeight?: SampleWeights,
  classWeight?: ClassWeights,
): Tensor1D[] {
  if (sampleWeight === undefined && classWeight === undefined) return [];
  const batchSize = ys[0]?.shape[0] as number;
  const ofSamples = sampleWeight === undefined ? [] : sampleWeightRows(where, model, sampleWeight, batchSize);
  const ofClasses = classWeight === undefined ? [] : classWeightRows(where, model, classWeight, ys);
  return ys.map((_, output) => mul(ofSamples[output] ?? ones([batchSize]), ofClasses[output] ?? ones([batchSize])));
}

function sampleWeightRows(
  where: string,
  model: LayersModel,
  given: SampleWeights,
  batchSize: number,
): (Tensor1D | undefined)[] {
  const weights = isNumbers(given) ? tensor1d(Array.from(given)) : given;
  return byOutput<Tensor>(where, 'sampleWeight', model, weights as PerOutput<Tensor>).map((tensor) => {
    if (tensor) {
      checkRows(where, 'sampleWeight', tensor, batchSize);
      // NaN is another matter: such a row counts as not finite.
      checkValues(where, 'sampleWeight', 'hold numbers >= 0', tensor, (weight) => !(weight < 0));
    }
    return tensor as Tensor1D | undefined;
  });
}

function isNumbers(given: SampleWeights): given is ArrayLike<number> {
  return ArrayBuffer.isView(given) || (Array.isArray(given) && typeof given[0] === 'number');
}
