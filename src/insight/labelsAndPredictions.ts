import {
  all,
  argMax,
  cast,
  equal,
  gather,
  greaterEqual,
  logicalAnd,
  logicalOr,
  max,
  min,
  reshape,
  stack,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {outputsOf} from '../models/model';
import {eachTensor, modelTensors, type StepTensors} from '../models/modelTensors';
import type {Scoring} from './perSampleLosses';
import {readTogether} from './readTogether';

/** Label or prediction of an output: a class number or a value, or a list of them. */
export type ExampleValue = number | number[];

/** Label and prediction of a row; records by output name if a model has several outputs. */
export interface LabelAndPrediction {
  label: ExampleValue | Record<string, ExampleValue>;
  prediction: ExampleValue | Record<string, ExampleValue>;
}

/** Computes the labels and predictions of some rows, in the order of `rows`. */
export async function labelsAndPredictions(task: Scoring, rows: Int32Array): Promise<LabelAndPrediction[]> {
  const [isClass] = (await readTogether([tidy(() => haveClassLabels(task))])) as [Float32Array];
  const names = task.model.outputNames;
  const shown: LabelAndPrediction[] = [];
  for (let start = 0; start < rows.length; start += task.batchSize) {
    const batch = rows.subarray(start, start + task.batchSize);
    const pairs = await readTogether(tidy(() => pairsOf(task, batch, isClass)));
    const lists = pairs.map((values) => perRow(values, batch.length));
    for (let place = 0; place < batch.length; place++) {
      const valueIn = (list: number) => lists[list]?.[place] as ExampleValue;
      shown.push({
        label: byName(names, (output) => valueIn(2 * output)),
        prediction: byName(names, (output) => valueIn(2 * output + 1)),
      });
    }
  }
  return shown;
}

/** The flat labels and predictions of each output in turn. */
function pairsOf({where, model, xs, ys, targets}: Scoring, rows: Int32Array, isClass: Float32Array): Tensor1D[] {
  const indices = tensor1d(rows, 'int32');
  const rowsOf = (tensors: StepTensors) => eachTensor(tensors, (tensor) => gather(tensor, indices));
  const batch = modelTensors(where, model, rowsOf(xs), rowsOf(ys), {targets});
  return outputsOf(model, batch.formed(batch.xs), false)
    .flatMap((yPred, output) => asClasses(batch.ys[output] as Tensor, yPred, isClass[output] === 1))
    .map((values) => cast(reshape(values, [values.size]), 'float32'));
}

/** Converts one-hot labels and class probabilities to class numbers; keeps other values. */
function asClasses(yTrue: Tensor, yPred: Tensor, isClass: boolean): [labels: Tensor, predictions: Tensor] {
  const classes = yPred.shape[yPred.rank - 1] as number;
  if (classes > 1 && yTrue.size * classes === yPred.size) return [yTrue, argMax(yPred, -1)];
  if (!isClass || yTrue.size !== yPred.size) return [yTrue, yPred];
  return classes > 1 ? [argMax(yTrue, -1), argMax(yPred, -1)] : [yTrue, greaterEqual(yPred, 0.5)];
}

/**
 * Computes 1 for each output whose labels are all one-hot, or all 0 and 1 for a sigmoid. Checks the
 * whole data set, because a few rows might be so by chance.
 */
function haveClassLabels({model, ys}: Scoring): Tensor1D {
  const outcomes = ys.map((yTrue, output) => {
    const values = yTrue.dtype === 'bool' ? cast(yTrue, 'int32') : yTrue;
    const isOneValue = values.rank === 1 || values.shape[values.rank - 1] === 1;
    if (!isOneValue) return all(isOneHot(values));
    return isSigmoid(model, output) ? all(logicalOr(equal(values, 0), equal(values, 1))) : cast(0, 'bool');
  });
  return stack(outcomes.map((outcome) => cast(outcome, 'float32'))) as Tensor1D;
}

/** Masks one-hot rows by their sum, maximum and minimum. */
function isOneHot(values: Tensor): Tensor {
  const sumIsOne = equal(sum(values, -1), 1);
  return logicalAnd(sumIsOne, logicalAnd(equal(max(values, -1), 1), equal(min(values, -1), 0)));
}

function isSigmoid(model: LayersModel, output: number): boolean {
  return model.outputLayers[output]?.getConfig().activation === 'sigmoid';
}

function perRow(values: Float32Array, rows: number): ExampleValue[] {
  const size = values.length / rows;
  return Array.from({length: rows}, (_, row) =>
    size === 1 ? (values[row] as number) : Array.from(values.subarray(row * size, (row + 1) * size)),
  );
}

function byName(
  names: string[],
  valueIn: (output: number) => ExampleValue,
): ExampleValue | Record<string, ExampleValue> {
  return names.length === 1 ? valueIn(0) : Object.fromEntries(names.map((name, output) => [name, valueIn(output)]));
}
