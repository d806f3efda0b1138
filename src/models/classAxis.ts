/** @file The class axis of an output: the last one, or the one in the data format of its layer. */

import {type Tensor, transpose} from '@tensorflow/tfjs-core';
import type {LayersModel, SymbolicTensor} from '@tensorflow/tfjs-layers';
import {takesLastAxis} from '../losses/formula';

/** Fields read of a tfjs layer; wrappers and recurrent layers contain another layer. */
interface FormattedLayer {
  dataFormat?: string;
  layer?: FormattedLayer;
  cell?: FormattedLayer;
  outputs?: SymbolicTensor[];
}

/**
 * Layers that keep the positions of values, so that the data format is that of the layers before.
 */
const IN_PLACE = new Set(
  `Activation Add AlphaDropout Average BatchNormalization Concatenate Dropout ELU GaussianDropout GaussianNoise
  LayerNormalization LeakyReLU Maximum Minimum Multiply PReLU ReLU Rescaling Softmax ThresholdedReLU`.split(/\s+/),
);

/** Finds the class axis of each output; undefined if it is the last one or unknown. */
export function classAxes(model: LayersModel): (number | undefined)[] {
  // Only the names of a function's outputs are known.
  return model.outputs.map((output) => (output.sourceLayer ? classAxisOf(output) : undefined));
}

function classAxisOf(output: SymbolicTensor): number | undefined {
  if (output.shape.length < 3) return undefined;
  const layer = output.sourceLayer as unknown as FormattedLayer;
  const inner = layer.outputs?.[output.outputTensorIndex ?? 0];
  if (inner) return classAxisOf(inner);
  const isOfSteps = layer.layer !== undefined || (layer.cell !== undefined && output.shape.length > 4);
  const format = layer.dataFormat ?? layer.layer?.dataFormat ?? layer.cell?.dataFormat;
  if (format !== undefined) return format === 'channelsFirst' ? (isOfSteps ? 2 : 1) : undefined;
  const {className = ''} = layer.constructor as {className?: string};
  const [before] = output.inputs;
  return IN_PLACE.has(className) && before ? classAxisOf(before) : undefined;
}

/** An output whose class axis may differ from the last. */
interface ClassedShape {
  shape: readonly (number | null)[];
  classAxis?: number | undefined;
}

/** Builds functions that move the class axis of some outputs last, in targets and predictions. */
export function classesLast(outputs: readonly (ClassedShape | undefined)[]) {
  const moved = (tensors: Tensor[], move: (tensor: Tensor, axis: number, shape: ClassedShape['shape']) => Tensor) =>
    tensors.map((tensor, i) => {
      const {classAxis, shape = []} = outputs[i] ?? {};
      return classAxis === undefined ? tensor : move(tensor, classAxis, shape);
    });
  return {
    truths: (ys: Tensor[]) => moved(ys, truthWithAxisLast),
    predicted: (predictions: Tensor[]) => moved(predictions, withAxisLast),
  };
}

/**
 * Builds the same for the losses known to reduce the last axis. A custom loss may expect the format
 * of the model.
 */
export function classesLastFor(model: LayersModel, losses: readonly object[]) {
  const axes = classAxes(model);
  const shapes = losses.map((loss, output) => {
    const classAxis = takesLastAxis(loss) ? axes[output] : undefined;
    return classAxis === undefined ? undefined : {classAxis, shape: model.outputs[output]?.shape ?? []};
  });
  return classesLast(shapes);
}

/** Moves an axis last. */
function withAxisLast(tensor: Tensor, axis: number): Tensor {
  const others = tensor.shape.map((_, at) => at).filter((at) => at !== axis);
  return transpose(tensor, [...others, axis]);
}

/** Moves the class axis of targets last; targets without classes, `[B, …]` or `[B, …, 1]`, stay. */
function truthWithAxisLast(truth: Tensor, axis: number, shape: ClassedShape['shape']): Tensor {
  const hasEmptyEnd = truth.shape.at(-1) === 1 && shape.at(-1) !== 1;
  return truth.rank === shape.length && !hasEmptyEnd ? withAxisLast(truth, axis) : truth;
}
