/** @file A batch of B rows looked at as B·P elements: pixels, anchors, time steps, in row-major order. */

import {range, reshape, Tensor, type Tensor1D, tile} from '@tensorflow/tfjs-core';
import {rangeError, shapeText, typeError} from '../checks';
import type {Granularity} from '../types';

export const GRANULARITIES: readonly Granularity[] = ['sample', 'element'];

/** The elements of a batch. */
export interface Elements {
  /** B·P, in all rows together. */
  count: number;
  /** P, in each row: the same in every output. */
  perRow: number;
  /** For each output `[B, …]`, its shape without the last axis. */
  shapes: number[][];
}

/** An output as it is known before the model runs. */
export interface OutputShape {
  name: string;
  shape: readonly (number | null)[];
}

/** Finds the elements of a batch from its targets, `[B, …]` or `[B, …, C]` for an output `[B, …, C]`. */
export function elementsOf(where: string, argument: string, targets: Tensor[], outputs: OutputShape[]): Elements {
  const shapes = targets.map((target, i) => {
    const output = outputs[i] as OutputShape;
    const axes = Math.max(output.shape.length - 1, 1);
    const shape = target.rank > axes + 1 ? target.shape : target.shape.slice(0, axes);
    checkElements(where, argument, shape, output, target.shape);
    return shape;
  });
  const counts = shapes.map((shape) => shape.reduce((product, size) => product * size, 1));
  const count = counts[0] as number;
  if (count === 0) throw rangeError(where, argument, 'have at least one element', targets[0]?.shape);
  const other = counts.findIndex((ofOutput) => ofOutput !== count);
  if (other >= 0) {
    const constraint = `have the same number of elements in every output, ${count}`;
    const remedy = "Mine rows instead: {granularity: 'sample'}.";
    throw typeError(where, argument, constraint, `${counts[other]} in ${outputs[other]?.name}`, remedy);
  }
  return {count, perRow: count / (targets[0]?.shape[0] as number), shapes};
}

/** Predictions `[B, …, C]` with the elements as rows, `[B·P, C]`; `B` may be fewer rows than the batch has. */
export function predictedElements(
  where: string,
  argument: string,
  predictions: Tensor[],
  {shapes}: Elements,
  outputs: OutputShape[],
): Tensor[] {
  return predictions.map((prediction, i) => {
    // Where an output is of any size, only now it is known.
    const output = {name: String(outputs[i]?.name), shape: prediction.shape};
    checkElements(where, argument, shapes[i] as number[], output, shapes[i] as number[]);
    const features = prediction.rank < 2 ? 1 : (prediction.shape.at(-1) as number);
    return reshape(prediction, [prediction.size / features, features]);
  });
}

/** Targets `[B, …]` or `[B, …, C]` with the elements as rows, `[B·P, 1]` or `[B·P, C]`. */
export function asRows(target: Tensor, {count}: Elements): Tensor {
  return reshape(target, [count, target.size / count]);
}

/** Gives each element the value of its row: `[B] → [B·P]`. */
export function ofEachElement(rows: Tensor1D, {perRow}: Elements): Tensor1D {
  return reshape(tile(reshape(rows, [rows.size, 1]), [1, perRow]), [rows.size * perRow]);
}

/** The row of each element, `int32[B·P]`. */
export function rowOfEachElement(elements: Elements): Tensor1D {
  return ofEachElement(range(0, elements.count / elements.perRow, 1, 'int32'), elements);
}

/** What each element counts in an output, `[B·P]`, from weights of rows, `[B]`, or of elements, `[B, …]`. */
export function elementWeights(where: string, weights: Tensor, elements: Elements, output: number): Tensor1D {
  const shape = elements.shapes[output] as number[];
  const rows = shape.slice(0, 1);
  if (!(weights instanceof Tensor)) {
    throw typeError(where, 'sampleWeight', 'be a tensor or numbers', weights, 'Make one with tf.tensor().');
  }
  if (String(weights.shape) === String(shape)) return reshape(weights, [elements.count]);
  if (String(weights.shape) === String(rows)) return ofEachElement(weights as Tensor1D, elements);
  const constraint = `have shape ${shapeText(rows)}, one value for each row, or ${shapeText(shape)}, one for each element`;
  throw typeError(where, 'sampleWeight', constraint, weights.shape);
}

function checkElements(
  where: string,
  argument: string,
  elements: number[],
  {name, shape}: OutputShape,
  got: number[],
): void {
  const expected = shape.slice(0, Math.max(shape.length - 1, 1));
  const fits =
    elements.length === expected.length &&
    expected.every((size, axis) => axis === 0 || size === null || size === elements[axis]);
  if (fits) return;
  const text = shapeText([null, ...expected.slice(1)]);
  const constraint = `have the shape of the output ${name}, with or without its last axis: ${text.replace(']', ', …]')} or ${text}`;
  throw typeError(where, argument, constraint, got);
}
