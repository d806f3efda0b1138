import {expandDims, type Tensor} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {rangeError, shapeText, typeError} from '../checks';
import {tensorsByName} from './byOutput';

/** Tensors as `trainOnBatch` takes them: one, a list in the order of the model, or a record by name. */
export type StepTensors = Tensor | Tensor[] | Record<string, Tensor>;

/** Checks inputs and targets for a model, and puts them in its order; `names` is what errors call the two. */
export function modelTensors(
  where: string,
  model: LayersModel,
  x: StepTensors,
  y: StepTensors,
  names: readonly [x: string, y: string] = ['xs', 'ys'],
): {xs: Tensor[]; ys: Tensor[]} {
  const [xName, yName] = names;
  const xs = tensorsByName(where, xName, model.inputNames, x).map(withFeatures);
  const ys = tensorsByName(where, yName, model.outputNames, y).map(withFeatures);
  const rows = xs[0]?.shape[0] ?? 0;
  if (rows === 0) throw rangeError(where, xName, 'have at least one row', xs[0]?.shape ?? 0);
  for (const [i, input] of xs.entries()) {
    const [inputName = '', shape = []] = [model.inputNames[i], model.inputs[i]?.shape];
    if (input.shape[0] !== rows) {
      const constraint = `have the same number of rows in every input, ${rows}`;
      throw typeError(where, xName, constraint, `${input.shape[0]} in ${inputName}`);
    }
    if (!fits(input, shape)) {
      throw typeError(where, xName, `have the shape of the input ${inputName}, ${shapeText(shape)}`, input.shape);
    }
  }
  for (const target of ys) {
    if (target.shape[0] !== rows) {
      throw typeError(where, yName, `have as many rows as ${xName}, ${rows}`, target.shape[0]);
    }
  }
  return {xs, ys};
}

/** tfjs reads one value a row as one feature. */
function withFeatures(tensor: Tensor): Tensor {
  return tensor.rank === 1 ? expandDims(tensor, 1) : tensor;
}

function fits(input: Tensor, shape: (number | null)[]): boolean {
  return (
    input.rank === shape.length &&
    shape.every((size, axis) => axis === 0 || size === null || size === input.shape[axis])
  );
}
