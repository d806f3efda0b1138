/** @file Checks of validation data, before any weight changes. */

import {clone, fill, keep, type Tensor, tidy} from '@tensorflow/tfjs-core';
import type {BatchSource} from '../../data/batchSource';
import {outputLosses} from '../../models/modelLosses';
import {modelTensors, type StepTensors} from '../../models/modelTensors';
import {type StepBatch, stepBatch} from '../step/batch';
import type {StepSettings} from '../step/options';
import type {Evaluator} from './evaluation';

/** Sizes of a row of predictions; null if unknown. */
type RowShape = readonly (number | null)[];

/** The first validation batch, if the shapes of its predictions are not fully known yet. */
interface PendingCheck {
  batch: StepBatch;
  /** Targets as they were given, before a view. */
  ys: Tensor[];
}

/**
 * Builds the check of the first validation batch. It does not run the model, because that would
 * advance a stateful RNN: losses and metrics get constant predictions. Sizes that the model leaves
 * open are those of the targets, and then those of the first training batch.
 *
 * @param held  gets the tensors that the check keeps; the caller disposes them.
 */
export function validationCheck(settings: StepSettings, evaluate: Evaluator['evaluate'], name: string, held: Tensor[]) {
  const {where, model, granularity, targets, outputs} = settings;
  // A function shows no shape before it runs.
  const shapes = model.layers.length === 0 ? [] : model.outputs.map(({shape}): RowShape => shape.slice(1));
  const isOpen = shapes.length === 0 || shapes.some((shape) => shape.includes(null));
  let pending: PendingCheck | undefined;
  const holding = <T extends Tensor | undefined>(tensor: T): T => {
    if (tensor) held.push(keep(clone(tensor)));
    return (tensor && held.at(-1)) as T;
  };
  const first = (xs: StepTensors, ys: StepTensors): void => {
    const batch = stepBatch(settings, xs, ys);
    const raw = modelTensors(where, model, xs, ys, {targets}).ys;
    const isMoved = outputs.some(({classAxis}) => classAxis !== undefined);
    const sizes = isOpen && isMoved ? undefined : sizesOf(shapes, raw);
    if (sizes) checkAgainst(settings, evaluate, batch, sizes);
    // Elements and moved classes hide the sizes that the model predicts.
    if (!isOpen || isMoved || granularity === 'element') return;
    const {ys: ofStep, given, valid, finite} = batch;
    const kept = {ys: ofStep.map(holding), valid: holding(valid), finite: holding(finite)};
    const keptGiven = {xs: given.xs.map(holding), ys: given.ys.map(holding), rowWeights: []};
    pending = {batch: {...batch, ...kept, xs: [], rowWeights: [], given: keptGiven}, ys: raw.map(holding)};
  };
  return {
    /** Checks the first batch as far as shapes are known. */
    before: async (source: BatchSource): Promise<void> =>
      source.look?.(({xs, ys}) => tidy(() => namingData(where, name, () => first(xs, ys)))),
    /** Checks the rest from the forward pass of the first training batch, before its update. */
    withPredictions({given}: StepBatch, predictions: Tensor[]): void {
      if (!pending) return;
      const {batch, ys} = pending;
      pending = undefined;
      const sizes = sizesBy(settings, {predictions, given}, {batch, ys});
      if (sizes) tidy(() => namingData(where, name, () => checkAgainst(settings, evaluate, batch, sizes)));
      for (const tensor of held.splice(0)) tensor.dispose();
    },
  };
}

/** Returns the sizes of validation predictions, as far as a training batch shows them. */
function sizesBy(
  {targets}: StepSettings,
  {predictions, given}: {predictions: Tensor[]; given: StepBatch['given']},
  {batch, ys}: PendingCheck,
): number[][] | undefined {
  const [rows, dueRows] = [given, batch.given].map(({xs}) => xs[0]?.shape[0]);
  const isByRow = predictions.every(({shape}) => shape[0] === rows);
  // A joint loss takes predictions of any shape, so they are known only for equal batches.
  if (!isByRow || (!targets && rows !== dueRows)) return undefined;
  const isAlike = String(rowShapes(given.xs)) === String(rowShapes(batch.given.xs));
  if (!targets && !isAlike) return undefined;
  return sizesOf(
    rowShapes(predictions).map((shape) => (isAlike ? shape : openSizes(shape))),
    ys,
  );
}

const rowShapes = (tensors: readonly Tensor[]): number[][] => tensors.map(({shape}) => shape.slice(1));

/** Forgets the sizes that may follow from the size of the inputs: all but the number of classes. */
function openSizes(shape: readonly number[]): RowShape {
  return shape.map((size, axis) => (axis > 0 && axis === shape.length - 1 ? size : null));
}

/** Fills unknown sizes of predictions by those of the targets; undefined if some stay unknown. */
function sizesOf(shapes: readonly RowShape[], ys: readonly Tensor[]): number[][] | undefined {
  const sizes = shapes.map((shape, output) => shape.map((size, axis) => size ?? ys[output]?.shape[axis + 1]));
  return sizes.length > 0 && sizes.flat().every((size) => size !== undefined) ? (sizes as number[][]) : undefined;
}

/** Evaluates losses and metrics on constant predictions of these sizes. */
function checkAgainst(
  settings: StepSettings,
  evaluate: Evaluator['evaluate'],
  batch: StepBatch,
  sizes: readonly number[][],
): void {
  const {where, losses, lossWeights} = settings;
  const rows = batch.given.xs[0]?.shape[0] as number;
  const predictions = batch.view.predictions(sizes.map((shape) => fill([rows, ...shape], 0.5)));
  outputLosses(where, losses, lossWeights, batch.ys, predictions, batch.view.losses);
  evaluate(batch, predictions);
}

/** Adds the name of the validation data to errors about it. */
export function namingData<T>(where: string, name: string, f: () => T): T {
  try {
    return f();
  } catch (error) {
    // A missing kernel is no matter of the data.
    const isOfData = error instanceof Error && !/^Kernel '.*' not registered/.test(error.message);
    if (isOfData && !error.message.includes(name)) {
      const text = error.message.startsWith(`${where}: `) ? error.message.slice(where.length + 2) : error.message;
      error.message = `${where}: ${name} must fit the model, its losses and its metrics: ${text}`;
    }
    throw error;
  }
}
