import {
  expandDims,
  isFinite as isFiniteTensor,
  logicalAnd,
  mul,
  ones,
  reshape,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkRows, checkValues, rangeError, shapeText, typeError} from '../checks';
import type {Batch} from '../gradients/backwardPass';
import {byOutput, type PerOutput, tensorsByName} from './byOutput';
import {type ClassWeights, classWeightRows} from './classWeights';

/** Tensors as `trainOnBatch` takes them: one, a list in the order of the model, or a record by name. */
export type StepTensors = Tensor | Tensor[] | Record<string, Tensor>;

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
  const inputs = tensorsByName(where, 'xs', model.inputNames, xs).map(withFeatures);
  const targets = tensorsByName(where, 'ys', model.outputNames, ys).map(withFeatures);
  const batchSize = inputs[0]?.shape[0] ?? 0;
  if (batchSize === 0) throw rangeError(where, 'xs', 'have at least one row', inputs[0]?.shape ?? 0);
  for (const [i, input] of inputs.entries()) {
    checkInput(where, model.inputNames[i], input, model.inputs[i]?.shape ?? [], batchSize);
  }
  for (const target of targets) {
    if (target.shape[0] !== batchSize) {
      throw typeError(where, 'ys', `have as many rows as xs, ${batchSize}`, target.shape[0]);
    }
  }
  return {xs: inputs, ys: targets, rowWeights: rowWeights(where, model, targets, sampleWeight, classWeight)};
}

/** tfjs reads one value a row as one feature. */
function withFeatures(tensor: Tensor): Tensor {
  return tensor.rank === 1 ? expandDims(tensor, 1) : tensor;
}

function checkInput(
  where: string,
  name: string | undefined,
  input: Tensor,
  shape: (number | null)[],
  batchSize: number,
): void {
  if (input.shape[0] !== batchSize) {
    throw typeError(
      where,
      'xs',
      `have the same number of rows in every input, ${batchSize}`,
      `${input.shape[0]} in ${name}`,
    );
  }
  const fits =
    input.rank === shape.length &&
    shape.every((size, axis) => axis === 0 || size === null || size === input.shape[axis]);
  if (!fits) throw typeError(where, 'xs', `have the shape of the input ${name}, ${shapeText(shape)}`, input.shape);
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

export function isNumbers(given: SampleWeights): given is ArrayLike<number> {
  return ArrayBuffer.isView(given) || (Array.isArray(given) && typeof given[0] === 'number');
}

/** Marks the rows whose inputs are all finite, `bool[B]`; undefined where no input could be anything else. */
export function finiteInputs(xs: Tensor[]): Tensor1D | undefined {
  const marks = xs.filter(({dtype}) => dtype === 'float32').map(finiteRows);
  return marks.length === 0 ? undefined : marks.reduce((both, next) => logicalAnd(both, next));
}

function finiteRows(x: Tensor): Tensor1D {
  const [batchSize = 0] = x.shape;
  // x · 0 is 0, or NaN where x is not finite; and so is its sum.
  return isFiniteTensor(sum(mul(reshape(x, [batchSize, x.size / batchSize]), 0), 1));
}
