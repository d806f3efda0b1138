import {
  argMax,
  cast,
  where as chooseEach,
  concat,
  equal,
  fill,
  greater,
  log,
  max,
  maximum,
  mul,
  notEqual,
  range,
  reshape,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkBoolean, checkValues, givenOptions, rangeError, shapeText, typeError} from '../../checks';
import type {OutputShape} from '../../data/views';
import {logitsByActivation} from '../../models/outputActivation';
import type {DynamicsOptions, Granularity, RowDynamics} from '../../types';
import type {Forward} from './backward';
import type {StepBatch} from './batch';

/**
 * Checks that a step can compute how each row is predicted, as far as is known before the model
 * runs.
 */
export function checkedDynamics(
  where: string,
  given: boolean | DynamicsOptions,
  of: {
    outputs: OutputShape[];
    targets: readonly string[] | undefined;
    granularity: Granularity;
    isLogits: boolean | undefined;
  },
): Required<DynamicsOptions> {
  const options = given === true ? {} : (given as DynamicsOptions);
  const {fromLogits = false} = givenOptions<DynamicsOptions>(where, options, ['fromLogits']);
  checkBoolean(where, 'dynamics.fromLogits', fromLogits);
  if (of.granularity === 'element') {
    throw typeError(where, 'dynamics', 'be left out if elements are mined', given, 'They describe rows.');
  }
  if (of.targets === undefined || of.outputs.length !== 1) throw notOfOneLabel(where, 'a model with other outputs');
  const [{shape, isBinary}] = of.outputs as [OutputShape];
  checkLogits(where, fromLogits, of.isLogits);
  if (shape === undefined) return {fromLogits};
  const isOfLabels = isBinary && shape.length === 2 && shape[1] !== 1;
  if (shape.length > 2 || isOfLabels) throw notOfOneLabel(where, `an output of shape ${shapeText(shape)}`);
  return {fromLogits};
}

/**
 * Checks `fromLogits` against what is known of the predictions; `isLogits` is undefined if nothing
 * is.
 */
function checkLogits(where: string, fromLogits: boolean, isLogits: boolean | undefined): void {
  if (isLogits === undefined || isLogits === fromLogits) return;
  const kind = isLogits ? 'logits' : 'probabilities';
  const remedy = `Build the ledger, or a step of your own, with {dynamics: {fromLogits: ${isLogits}}}.`;
  throw rangeError(where, 'dynamics.fromLogits', `be ${isLogits} for a model that returns ${kind}`, fromLogits, remedy);
}

/** Finds whether a model returns logits, from its loss or its last layer; undefined if unknown. */
export function returnsLogits(
  model: LayersModel,
  loss: {binary?: {fromLogits: boolean}} | undefined,
): boolean | undefined {
  return loss?.binary ? loss.binary.fromLogits : logitsByActivation(model, 0);
}

/**
 * Computes how each row of a batch was predicted, on the device.
 *
 *     margin = z_y − max_{j≠y} z_j,    confidence = p_y
 *     correct = [argmax z = y],        error = ‖p − onehot(y)‖₂
 *
 * For probabilities, `z = log p`, which has the same differences as the logits. A single value `p`
 * stands for two classes, `[1 − p, p]`.
 */
export function rowDynamics(
  where: string,
  {fromLogits}: Required<DynamicsOptions>,
  {ys, predictions, valid}: Pick<StepBatch, 'ys' | 'valid'> & Pick<Forward, 'predictions'>,
): RowDynamics<Tensor1D> {
  const {scores, labels} = classesOf(where, fromLogits, ys, predictions);
  const [rows, classes] = scores.shape as [number, number];
  const isLabel = cast(equal(reshape(labels, [rows, 1]), range(0, classes, 1, 'int32')), 'float32');
  const probabilities = fromLogits ? softmax(scores) : scores;
  const logits = fromLogits ? scores : log(maximum(scores, SMALLEST));
  const others = max(sub(logits, mul(isLabel, FAR)), 1);
  const margins = sub(sum(mul(logits, isLabel), 1), others) as Tensor1D;
  return {
    margins: valid ? chooseEach(notEqual(valid, 0), margins, fill([rows], Number.NaN)) : margins,
    confidences: sum(mul(probabilities, isLabel), 1),
    correct: cast(equal(argMax(scores, 1), labels), 'float32'),
    errors: sqrt(sum(square(sub(probabilities, isLabel)), 1)),
    fromLogits,
  };
}

/** Checks that single-value targets are labels, 0 and 1 or −1 and 1, in the rows that count. */
export function checkLabels(where: string, {ys, valid}: Pick<StepBatch, 'ys' | 'valid'>, isSingle: boolean): void {
  const [yTrue] = ys as [Tensor];
  if (!isSingle) return;
  const counted = valid ? mul(reshape(yTrue, [-1]), cast(notEqual(valid, 0), 'float32')) : yTrue;
  const remedy = 'Omit the option, and use a ledger without dynamics.';
  const constraint = 'hold labels 0 and 1, or -1 and 1, for dynamics';
  checkValues(where, 'ys', constraint, counted, (label) => label === 0 || Math.abs(label) === 1, remedy);
}

/** The smallest normal float32, which keeps log(0) finite. */
const SMALLEST = 2 ** -126;

/** Larger than any difference of logits. */
const FAR = 1e30;

/** Returns scores `float32[B, C]` and labels `int32[B]`. */
function classesOf(where: string, fromLogits: boolean, ys: Tensor[], predictions: Tensor[]) {
  const [yTrue, yPred] = [ys[0] as Tensor, predictions[0] as Tensor];
  if (ys.length !== 1 || predictions.length !== 1) throw notOfOneLabel(where, 'a model with other outputs');
  if (yPred.rank > 2) throw notOfOneLabel(where, `predictions of shape ${shapeText(yPred.shape)}`);
  const rows = yPred.shape[0] as number;
  const classes = yPred.size / Math.max(rows, 1);
  const isOneHot = classes > 1 && yTrue.size === yPred.size;
  if (!isOneHot && yTrue.size !== rows) throw notOfOneLabel(where, `targets of shape ${shapeText(yTrue.shape)}`);
  const values = reshape(yPred, [rows, classes]);
  if (classes > 1) {
    const labels = isOneHot ? argMax(reshape(yTrue, [rows, classes]), 1) : reshape(yTrue, [rows]);
    return {scores: values, labels: cast(labels, 'int32')};
  }
  const other = fromLogits ? zerosLike(values) : sub(1, values);
  // Labels are 0 and 1, or −1 and 1.
  return {scores: concat([other, values], 1), labels: cast(greater(reshape(yTrue, [rows]), 0), 'int32')};
}

function notOfOneLabel(where: string, got: string): TypeError {
  const remedy = 'Omit the option, and use a ledger without dynamics.';
  return typeError(where, 'dynamics', 'be of a classifier with one output and one label a row', got, remedy);
}
