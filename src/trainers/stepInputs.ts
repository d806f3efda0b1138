import {
  where as chooseEach,
  less,
  mul,
  ones,
  type Tensor,
  type Tensor1D,
  tensor1d,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkRows, checkValues, mayReadValues} from '../checks';
import type {Batch} from '../gradients/batch';
import {byOutput, type PerOutput} from '../models/byOutput';
import {modelTensors, type StepTensors} from '../models/modelTensors';
import type {Granularity} from '../types';
import {type ClassWeights, classWeightRows} from './classWeights';
import {asRows, type Elements, elementsOf, elementWeights, type OutputShape} from './elements';

/**
 * What a row counts: `float32[B]`, as a tensor or numbers; for several outputs one for all, a list or a record. Where elements are mined, a tensor
 * may have their shape, `float32[B, …]`, and say what each element counts.
 */
export type SampleWeights = Tensor | ArrayLike<number> | Tensor[] | Record<string, Tensor>;

/** A batch in the order of the model; where elements are mined, `ys` and `rowWeights` have these as rows. */
export type StepBatch = Batch & {elements: Elements | undefined};

/** What a trainer says of itself and its model. */
interface Trainer {
  where: string;
  model: LayersModel;
  granularity: Granularity;
}

/** Checks what a step is given, and puts it in the order of the model. */
export function stepBatch(
  {where, model, granularity}: Trainer,
  xs: StepTensors,
  ys: StepTensors,
  sampleWeight?: SampleWeights,
  classWeight?: ClassWeights,
): StepBatch {
  const tensors = modelTensors(where, model, xs, ys);
  const elements = granularity === 'element' ? elementsOf(where, 'ys', tensors.ys, outputShapes(model)) : undefined;
  const rows = elements ? tensors.ys.map((target) => asRows(target, elements)) : tensors.ys;
  return {
    xs: tensors.xs,
    ys: rows,
    rowWeights: rowWeights(where, model, rows, elements, sampleWeight, classWeight),
    elements,
  };
}

/** The outputs of a model; an axis of any size is null. */
export function outputShapes(model: LayersModel): OutputShape[] {
  return model.outputs.map(({shape}, output) => ({name: String(model.outputNames[output]), shape}));
}

function rowWeights(
  where: string,
  model: LayersModel,
  ys: Tensor[],
  elements: Elements | undefined,
  sampleWeight?: SampleWeights,
  classWeight?: ClassWeights,
): Tensor1D[] {
  if (sampleWeight === undefined && classWeight === undefined) return [];
  const batchSize = ys[0]?.shape[0] as number;
  const ofSamples = sampleWeight === undefined ? [] : sampleWeightRows(where, model, sampleWeight, batchSize, elements);
  const ofClasses = classWeight === undefined ? [] : classWeightRows(where, model, classWeight, ys);
  return ys.map((_, output) => mul(ofSamples[output] ?? ones([batchSize]), ofClasses[output] ?? ones([batchSize])));
}

function sampleWeightRows(
  where: string,
  model: LayersModel,
  given: SampleWeights,
  batchSize: number,
  elements: Elements | undefined,
): (Tensor1D | undefined)[] {
  const weights = isNumbers(given) ? tensor1d(Array.from(given)) : given;
  return byOutput<Tensor>(where, 'sampleWeight', model, weights as PerOutput<Tensor>).map((tensor, output) => {
    if (!tensor) return undefined;
    if (!elements) checkRows(where, 'sampleWeight', tensor, batchSize);
    const ofRows = elements ? elementWeights(where, tensor, elements, output) : (tensor as Tensor1D);
    // NaN is another matter: such a row counts as not finite.
    checkValues(where, 'sampleWeight', 'hold numbers >= 0', tensor, (weight) => !(weight < 0));
    // Where nobody looks, a negative weight must not train the other way.
    return mayReadValues() ? ofRows : (chooseEach(less(ofRows, 0), zerosLike(ofRows), ofRows) as Tensor1D);
  });
}

export function isNumbers(given: SampleWeights): given is ArrayLike<number> {
  return ArrayBuffer.isView(given) || (Array.isArray(given) && typeof given[0] === 'number');
}
