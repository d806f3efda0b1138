/** @file Where the classes of an output lie: on its last axis, or by the layer's data format before those of the image. */

import {type Tensor, transpose} from '@tensorflow/tfjs-core';
import type {LayersModel, SymbolicTensor} from '@tensorflow/tfjs-layers';
import {takesLastAxis} from '../losses/formula';

/** What is read of a layer of tfjs; wrappers and recurrent layers have another one in them. */
interface FormattedLayer {
  dataFormat?: string;
  layer?: FormattedLayer;
  cell?: FormattedLayer;
  outputs?: SymbolicTensor[];
}

/** Layers that give each value back in its place, so that the format is that of the layers before. */
const IN_PLACE = new Set(
  `Activation Add AlphaDropout Average BatchNormalization Concatenate Dropout ELU GaussianDropout GaussianNoise
  LayerNormalization LeakyReLU Maximum Minimum Multiply PReLU ReLU Rescaling Softmax ThresholdedReLU`.split(/\s+/),
);

/** Finds the axis of the classes of each output; undefined if that is the last one, or not known. */
export function classAxes(model: LayersModel): (number | undefined)[] {
  // The outputs of a function are known by their names alone.
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

/** An output whose classes may lie elsewhere than on its last axis. */
interface ClassedShape {
  shape: readonly (number | null)[];
  classAxis?: number | undefined;
}

/** Moves the classes of some outputs behind their other axes, in truth and prediction. */
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

/** Does so for the losses that are known to take the last axis. A function of the user may go by the format of the model. */
export function classesLastFor(model: LayersModel, losses: readonly object[]) {
  const axes = classAxes(model);
  const shapes = losses.map((loss, output) => {
    const classAxis = takesLastAxis(loss) ? axes[output] : undefined;
    return classAxis === undefined ? undefined : {classAxis, shape: model.outputs[output]?.shape ?? []};
  });
  return classesLast(shapes);
}

/** Moves an axis behind all others. */
function withAxisLast(tensor: Tensor, axis: number): Tensor {
  const others = tensor.shape.map((_, at) => at).filter((at) => at !== axis);
  return transpose(tensor, [...others, axis]);
}

/** Moves the classes of a truth behind its other axes; one without classes, `[B, …]` or `[B, …, 1]`, stays. */
function truthWithAxisLast(truth: Tensor, axis: number, shape: ClassedShape['shape']): Tensor {
  const hasEmptyEnd = truth.shape.at(-1) === 1 && shape.at(-1) !== 1;
  return truth.rank === shape.length && !hasEmptyEnd ? withAxisLast(truth, axis) : truth;
}
