/**
 * @file Conversion of a batch to rows to mine: its B rows, or B·P elements (pixels, anchors, time
 * steps, in row-major order). All other modules handle rows only.
 */

import {mean, range, reshape, Tensor, type Tensor1D, tile, util} from '@tensorflow/tfjs-core';
import {checkRows, rangeError, shapeText, typeError} from '../checks';
import {classesLast} from '../models/classAxis';
import {elementLosses, rowLosses} from '../models/modelLosses';
import type {Granularity, SelectionContext} from '../types';
import type {GivenContext, PerRowContext} from './batchOptions';

export const GRANULARITIES: readonly Granularity[] = ['sample', 'element'];

/** Properties of an output before the model runs; an axis of variable size is null. */
export interface OutputShape {
  name: string;
  shape: readonly (number | null)[];
  /** Whether the loss expects labels 0 and 1. */
  isBinary: boolean;
  /** Whether the loss compares rows: the width is then that of embeddings, not of classes. */
  isEmbedding?: boolean;
  /** Axis of the classes, if it is not the last one. */
  classAxis?: number | undefined;
  /** Whether the loss is known to reduce over the last axis as that of the classes. */
  takesLastAxis?: boolean;
}

/** A view of a batch as rows to mine. */
export interface BatchView {
  /** Number of rows to mine: B, or B·P. */
  count: number;
  /** Evaluates a loss to one number per row to mine. */
  losses: typeof rowLosses;
  targets(ys: Tensor[]): Tensor[];
  predictions(predictions: Tensor[]): Tensor[];
  /** Checks the weights of an output, and converts them to one per row to mine. */
  weights(given: Tensor, output: number): Tensor1D;
  context(given: GivenContext): SelectionContext;
  /** Repeats the value of each batch row for its rows to mine, `[B] → [count]`. */
  spread(ofBatch: Tensor1D): Tensor1D;
  /** Averages over the rows to mine of each batch row, `[count] → [B]`. */
  gathered(values: Tensor1D): Tensor1D;
}

/** Conversion that changes nothing. */
const AS_THEY_ARE = {truths: (ys: Tensor[]) => ys, predicted: (predictions: Tensor[]) => predictions};

/** Builds a view of a batch by its rows. */
export function rowView(where: string, batchSize: number, outputs: readonly OutputShape[] = []): BatchView {
  // Move classes only for known losses: a user's function may expect the format of the model.
  const isMoved = outputs.some(({takesLastAxis, classAxis}) => takesLastAxis && classAxis !== undefined);
  const moving = () => classesLast(outputs.map((output) => (output.takesLastAxis ? output : undefined)));
  const {truths, predicted} = isMoved ? moving() : AS_THEY_ARE;
  return {
    count: batchSize,
    losses: rowLosses,
    targets: truths,
    predictions: predicted,
    weights(given) {
      const weights = withoutEmptyAxis(given, [[batchSize]]);
      checkRows(where, 'sampleWeight', weights, batchSize);
      return weights as Tensor1D;
    },
    context(given) {
      const names = perRowNames(given).filter((name) => FURTHER_AXES[name].length === 0);
      const flat = names.map((name) => [name, withoutEmptyAxis(given[name] as Tensor, [[batchSize]])]);
      return {...(given as SelectionContext), ...Object.fromEntries(flat)};
    },
    spread: (ofBatch) => ofBatch,
    gathered: (values) => values,
  };
}

/**
 * Builds a view of a batch by its elements: those of its targets, `[B, …]` or `[B, …, C]` for an
 * output `[B, …, C]`. An output `[B, D]` of binary labels has one element per label.
 */
export function elementView(where: string, argument: string, givenYs: Tensor[], given: OutputShape[]): BatchView {
  const {truths, predicted} = classesLast(given);
  const outputs = given.map(elementOutput);
  const targets = truths(givenYs);
  const shapes = elementShapes(where, argument, targets, outputs);
  const [count, batchSize] = [util.sizeFromShape(shapes[0] as number[]), targets[0]?.shape[0] as number];
  const perRow = count / batchSize;
  const spread = (ofBatch: Tensor1D): Tensor1D => reshape(tile(reshape(ofBatch, [batchSize, 1]), [1, perRow]), [count]);
  return {
    count,
    losses: elementLosses,
    targets: (ys) => truths(ys).map((y) => reshape(y, [count, y.size / count])),
    predictions: (predictions) =>
      predicted(predictions).map((prediction, i) => {
        const {name, shape: axes} = outputs[i] as OutputShape;
        const isByLabel = axes.length > prediction.rank;
        // Some output sizes are known only now.
        const [shape, known] = [shapes[i] as number[], isByLabel ? [...prediction.shape, 1] : prediction.shape];
        checkElements(where, argument, shape, {name, shape: known}, shape);
        const features = known.length < 2 ? 1 : (known.at(-1) as number);
        if (prediction.rank === 2 && !isByLabel) return prediction;
        return reshape(prediction, [prediction.size / features, features]);
      }),
    weights(given, output) {
      const shape = shapes[output] as number[];
      if (!(given instanceof Tensor)) {
        throw typeError(where, 'sampleWeight', 'be a tensor or numbers', given, 'Make one with tf.tensor().');
      }
      const weights = withoutEmptyAxis(given, [shape, [batchSize]]);
      if (String(weights.shape) === String(shape)) return reshape(weights, [count]);
      if (String(weights.shape) === String([batchSize])) return spread(weights as Tensor1D);
      const texts = [shapeText([batchSize]), shapeText(shape)];
      const constraint = `have shape ${texts[0]}, one value for each row, or ${texts[1]}, one for each element`;
      throw typeError(where, 'sampleWeight', constraint, given.shape);
    },
    context: (given) => {
      const group = spread(range(0, batchSize, 1, 'int32'));
      return {...(given as SelectionContext), group, ...elementContext(where, given, count, shapes)};
    },
    spread,
    gathered: (values) => mean(reshape(values, [batchSize, perRow]), 1),
  };
}

/** Moves the classes of an output behind the axes of its elements. */
function elementOutput(output: OutputShape): OutputShape {
  const {shape, classAxis} = output;
  if (isOfLabels(output)) return {...output, shape: [...shape, 1]};
  if (classAxis === undefined) return output;
  return {...output, shape: [...shape.filter((_, axis) => axis !== classAxis), shape[classAxis] as number | null]};
}

/** Whether each value of an output is an element: one of a row's independent labels. */
export function isOfLabels({shape, isBinary}: OutputShape): boolean {
  return isBinary && shape.length === 2 && shape[1] !== 1;
}

function elementShapes(where: string, argument: string, targets: Tensor[], outputs: OutputShape[]): number[][] {
  const shapes = targets.map((target, i) => {
    const output = outputs[i] as OutputShape;
    const axes = Math.max(output.shape.length - 1, 1);
    const shape = target.rank > axes + 1 ? target.shape : target.shape.slice(0, axes);
    checkElements(where, argument, shape, output, target.shape);
    return shape;
  });
  const [count = 0, ...others] = shapes.map(util.sizeFromShape);
  if (count === 0) throw rangeError(where, argument, 'have at least one element', targets[0]?.shape);
  const other = others.findIndex((ofOutput) => ofOutput !== count);
  if (other >= 0) {
    const constraint = `have the same number of elements in every output, ${count}`;
    const remedy = "Mine rows instead: {granularity: 'sample'}.";
    throw typeError(where, argument, constraint, `${others[other]} in ${outputs[other + 1]?.name}`, remedy);
  }
  return shapes;
}

/** The axes after those of the rows or elements. */
const FURTHER_AXES: Record<PerRowContext, number[]> = {
  ...{valid: [], positive: [], group: [], reference: [], overlap: [], boxes: [4]},
};

function perRowNames(given: GivenContext): PerRowContext[] {
  return (Object.keys(FURTHER_AXES) as PerRowContext[]).filter((name) => given[name] !== undefined);
}

/** Drops the last axis of 1, as of label masks `[…, 1]`, if that gives one of the shapes. */
function withoutEmptyAxis(tensor: Tensor, shapes: number[][]): Tensor {
  if (!(tensor instanceof Tensor) || tensor.shape.at(-1) !== 1) return tensor;
  const isOne = (other: number[]) => shapes.some((shape) => String(shape) === String(other));
  const shape = tensor.shape.slice(0, -1);
  return isOne(tensor.shape) || !isOne(shape) ? tensor : reshape(tensor, shape);
}

function elementContext(where: string, given: GivenContext, count: number, shapes: number[][]): SelectionContext {
  const flat = perRowNames(given).map((name) => {
    const rows = [count, ...FURTHER_AXES[name]];
    const possible = [rows, ...shapes.map((shape) => [...shape, ...FURTHER_AXES[name]])];
    const tensor = withoutEmptyAxis(given[name] as Tensor, possible);
    const texts = [...new Set(possible.map((shape) => shapeText(shape)))].join(' or ');
    if (!(tensor instanceof Tensor)) {
      throw typeError(where, name, `be a tensor of shape ${texts}`, tensor, 'Make one with tf.tensor().');
    }
    if (!possible.some((shape) => String(shape) === String(tensor.shape))) {
      throw typeError(where, name, `have shape ${texts}, one value for each element`, tensor.shape);
    }
    return [name, reshape(tensor, rows)] as const;
  });
  return Object.fromEntries(flat) as SelectionContext;
}

function checkElements(
  where: string,
  argument: string,
  elements: number[],
  {name, shape}: Pick<OutputShape, 'name' | 'shape'>,
  got: number[],
): void {
  const expected = shape.slice(0, Math.max(shape.length - 1, 1));
  const fits =
    elements.length === expected.length &&
    expected.every((size, axis) => axis === 0 || size === null || size === elements[axis]);
  if (fits) return;
  const text = shapeText([null, ...expected.slice(1)]);
  const both = `${text.replace(']', ', …]')} or ${text}`;
  throw typeError(where, argument, `have the shape of the output ${name}, with or without its last axis: ${both}`, got);
}
