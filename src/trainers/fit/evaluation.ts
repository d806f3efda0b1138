/** @file Metrics of a batch beside its loss, and evaluation of validation rows. */

import {
  abs,
  add,
  any,
  cast,
  where as chooseEach,
  div,
  equal,
  fill,
  greater,
  keep,
  lessEqual,
  logicalAnd,
  maximum,
  mean,
  mul,
  notEqual,
  oneHot,
  ones,
  reshape,
  type Scalar,
  scalar,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {type Logs, metrics as layersMetrics} from '@tensorflow/tfjs-layers';
import {livesInMainMemory, typeError} from '../../checks';
import {type BatchSource, START, type TrainingBatch} from '../../data/batchSource';
import {binaryCrossentropy} from '../../losses/binaryCrossentropy';
import {categoricalCrossentropy} from '../../losses/categoricalCrossentropy';
import {validEntries} from '../../losses/formula';
import {keepingStates} from '../../models/model';
import {countedOutputs, isJoint, outputLosses} from '../../models/modelLosses';
import type {StepTensors} from '../../models/modelTensors';
import {takeRows} from '../../rows';
import type {PerSampleLoss} from '../../types';
import {inferred} from '../step/backward';
import {type StepBatch, stepBatch} from '../step/batch';
import type {StepSettings} from '../step/options';
import {packed} from '../step/report';

/**
 * A metric of a batch, and the number of rows in its mean. A type alias, because `tf.tidy` does not
 * accept interfaces.
 */
type Figure = {value: Scalar; count: Scalar};

/** Computes the metrics that tfjs logs beside the loss, under the same names. */
export interface Evaluator {
  names: readonly string[];
  /** Computes a figure per name, over the rows that are valid, finite and labelled. */
  evaluate(batch: StepBatch, predictions: Tensor[]): Figure[];
}

/**
 * Builds the evaluator of the metrics the model was compiled with and, if there are several
 * outputs, of their losses.
 */
export function evaluator(settings: StepSettings): Evaluator {
  const {model, targets, lossWeights} = settings;
  const counted = countedOutputs(lossWeights);
  // A joint loss has no parts by output; an output of weight 0 may have neither loss nor target.
  const outputs = targets && targets.length > 1 ? counted : [];
  const warnOfZeros = zerosWatch(settings);
  const metrics = compiledMetrics(settings).filter(({output}) => !targets || counted.includes(output));
  return {
    names: withSuffixes([...outputs.map((output) => `${targets?.[output]}_loss`), ...metrics.map(({name}) => name)]),
    evaluate(batch, predictions) {
      if (metrics.length > 0 && batch.ys.length !== model.outputNames.length) {
        const remedy = 'Compile the model without metrics.';
        const constraint = `be ${model.outputNames.length} targets for the metrics, one for each output`;
        throw typeError(settings.where, 'ys', constraint, `${batch.ys.length}`, remedy);
      }
      if (outputs.length + metrics.length === 0) return [];
      const entries = countedEntries(settings, batch, predictions);
      const ofOutputs = outputs.map((output) => outputFigure(settings, batch, predictions, output, entries(output)));
      const ofMetrics = metrics.map(({name, metric, output}) => {
        const [yTrue, yPred] = [batch.given.ys[output] as Tensor, predictions[output] as Tensor];
        const figure = metricFigure(metric, yTrue, yPred, entries(output));
        if (figure.isOfZeros) warnOfZeros(name, batch, output);
        return figure;
      });
      return [...ofOutputs, ...ofMetrics];
    },
  };
}

/** Warns once if a whole-batch metric sees zeros in place of rows that are left out. */
function zerosWatch({where, losses}: StepSettings): (name: string, batch: StepBatch, output: number) => void {
  let hasWarned = false;
  return (name, {valid}, output) => {
    const leavesOut = valid !== undefined || (losses[output] as PerSampleLoss | undefined)?.valid !== undefined;
    if (hasWarned || !leavesOut || /(precision|recall)(_\d+)?$/.test(name)) return;
    hasWarned = true;
    console.warn(
      `${where}: the metric ${name} returns one number for the whole batch, and sees zeros in place of rows that do not ` +
        'count, because their mask is on the device. Return one number per row from the metric.',
    );
  };
}

type Metric = (yTrue: Tensor, yPred: Tensor) => Tensor;

/**
 * Returns the mask for an output: over rows, `bool[count]`, or their entries, `bool[count, …]`;
 * undefined for all.
 */
function countedEntries({losses}: StepSettings, {valid, finite, given}: StepBatch, predictions: Tensor[]) {
  const rows = [...(valid ? [notEqual(valid, 0)] : []), ...(finite ? [finite] : [])] as Tensor1D[];
  return (output: number): Tensor | undefined => {
    const loss = losses[output] as PerSampleLoss | undefined;
    const marks = loss && validEntries(loss, given.ys[output] as Tensor, predictions[output] as Tensor);
    const labelled = marks && notEqual(marks, 0);
    if (!labelled && rows.length === 0) return undefined;
    const [first, ...others] = labelled ? [labelled, ...rows] : rows;
    return others.reduce((both, next) => logicalAnd(both, reshape(next, sameRank(next.shape, both))), first as Tensor);
  };
}

function outputFigure(
  {where, losses}: StepSettings,
  {given: {ys, rowWeights}, view, finite, context: {valid}}: StepBatch,
  predictions: Tensor[],
  output: number,
  counted: Tensor | undefined,
): Figure {
  const only = losses.map((_, other) => (other === output ? 1 : 0));
  const [values] = outputLosses(where, losses, only, ys, predictions, view.losses, finite, valid) as [Tensor1D];
  return meanOf(rowWeights[output] ? mul(values, rowWeights[output]) : values, counted);
}

/**
 * Computes a metric over the mask. A metric that returns one number for the batch gets only the
 * rows that count.
 */
function metricFigure(
  metric: Metric,
  yTrue: Tensor,
  yPred: Tensor,
  counted: Tensor | undefined,
): Figure & {isOfZeros?: boolean} {
  const rows = yPred.shape[0] as number;
  const values = metric(yTrue, yPred);
  const isByRow = values.rank > 0 && values.shape[0] === rows;
  if (!counted || isByRow) return meanOf(values, counted, rows);
  const marks = ofRows(counted, rows);
  const count = sum<Scalar>(cast(marks, 'float32'));
  if (!livesInMainMemory()) {
    // Precision and recall do not count rows of zeros.
    const only = (tensor: Tensor) => chooseEach(reshape(marks, sameRank([rows], tensor)), tensor, zerosLike(tensor));
    return {value: mean<Scalar>(metric(only(yTrue), only(yPred))), count, isOfZeros: true};
  }
  const places = Array.from(marks.dataSync()).flatMap((isCounted, row) => (isCounted ? [row] : []));
  if (places.length === 0) return {value: scalar(0), count};
  const taken = tensor1d(places, 'int32');
  return {value: mean<Scalar>(metric(takeRows(yTrue, taken), takeRows(yPred, taken))), count};
}

/** Returns the mean of values `[rows, …]` over the mask, and the number of rows in it. */
function meanOf(values: Tensor, counted: Tensor | undefined, rows = values.shape[0] as number): Figure {
  if (!counted) return {value: mean<Scalar>(values), count: scalar(rows)};
  const marks = values.size === counted.size ? reshape(counted, values.shape) : ofRows(counted, rows);
  const fitting = reshape(marks, sameRank(marks.shape, values));
  const total = sum<Scalar>(chooseEach(fitting, values, zerosLike(values)));
  const marked = sum<Scalar>(cast(marks, 'float32'));
  const perMark = values.size / marks.size;
  return {value: div(total, maximum(mul(marked, perMark), 1)), count: mul(marked, rows / marks.size)};
}

/** Reduces a mask to rows, `[rows, …] → [rows]`: whether any entry of the row counts. */
function ofRows(counted: Tensor, rows: number): Tensor1D {
  return counted.rank === 1 ? (counted as Tensor1D) : any(reshape(counted, [rows, counted.size / rows]), 1);
}

/** Pads a shape with ones to the rank of a tensor. */
function sameRank(shape: number[], {rank}: Tensor): number[] {
  return [...shape, ...Array.from({length: rank - shape.length}, () => 1)];
}

interface CompiledMetric {
  name: string;
  metric: Metric;
  output: number;
}

/**
 * Returns the metrics the model was compiled with. `accuracy` and `crossentropy` resolve to the
 * kind that fits the loss.
 */
function compiledMetrics({model, losses}: StepSettings): CompiledMetric[] {
  // With several outputs, tfjs lists the total loss and the losses of the outputs first.
  const losesFirst = model.outputNames.length > 1 ? model.outputNames.length : 0;
  const compiled = (model.metricsTensors ?? []).slice(losesFirst);
  const names = (model.metricsNames ?? []).slice(losesFirst + 1);
  const asked = Object.values([(model as unknown as {metrics?: object}).metrics ?? []].flat()).flat(2);
  const areGeneral = new Set<unknown>(asked.filter((metric) => typeof metric === 'string'));
  return compiled.map(([metric, output], i) => {
    const name = names[i] as string;
    const loss = losses[output] ?? losses[0];
    const isOf = (...given: string[]) => given.some((general) => areGeneral.has(general));
    if (name.endsWith('acc') && isOf('acc', 'accuracy')) return {name, output, metric: accuracyOf(loss)};
    if (name.endsWith('ce') && isOf('ce', 'crossentropy')) return {name, output, metric: crossentropyOf(loss)};
    return {name, output, metric};
  });
}

type ModelLoss = StepSettings['losses'][number];

/** Builds the accuracy, `[rows, …]`, for the kind of labels. */
function accuracyOf(loss: ModelLoss): Metric {
  const {binary} = isJoint(loss) ? {} : (loss as PerSampleLoss);
  return (yTrue, yPred) => {
    if (binary) {
      // Labels are 0 and 1, or −1 and 1; any other value is ignored.
      const isLabel = cast(lessEqual(abs(yTrue), 1), 'float32');
      const isYes = greater(yPred, binary.fromLogits ? 0 : 0.5);
      const isRight = mul(cast(equal(greater(yTrue, 0.5), isYes), 'float32'), isLabel);
      return div(sum(isRight, -1), maximum(sum(isLabel, -1), 1));
    }
    if (yPred.shape.at(-1) === 1) return layersMetrics.binaryAccuracy(yTrue, yPred);
    if (yTrue.size === yPred.size) return layersMetrics.categoricalAccuracy(yTrue, yPred);
    return layersMetrics.sparseCategoricalAccuracy(yTrue, yPred);
  };
}

/** Builds the crossentropy per row for the kind of labels. */
function crossentropyOf(loss: ModelLoss): Metric {
  const {binary} = isJoint(loss) ? {} : (loss as PerSampleLoss);
  return (yTrue, yPred) => {
    const classes = yPred.shape.at(-1) as number;
    if (binary || classes === 1) return binaryCrossentropy(binary)(yTrue, yPred);
    if (yTrue.size === yPred.size) return categoricalCrossentropy()(yTrue, yPred);
    // An ignored label gets an all-zero one-hot row.
    const labels = reshape(cast(yTrue, 'int32'), yPred.shape.slice(0, -1));
    return categoricalCrossentropy()(oneHot(labels, classes), yPred);
  };
}

/** Numbers names that occur twice (`acc`, `acc`) as tfjs does: `acc_0`, `acc_1`. */
function withSuffixes(names: string[]): string[] {
  return names.map((name, i) => {
    const isTwice = names.indexOf(name) !== names.lastIndexOf(name);
    return isTwice ? `${name}_${names.slice(0, i).filter((earlier) => earlier === name).length}` : name;
  });
}

/** Evaluates a model on rows that it is not trained on. */
export interface Validation {
  /** Checks the first batch without running the model, so that errors appear before training. */
  check(): Promise<void>;
  /** Computes `val_…` logs over all rows; undefined if `isStopped` returned true before the end. */
  run(isStopped: () => boolean, afterBatch: () => Promise<void>): Promise<Logs | undefined>;
}

/**
 * Builds the validation of a model: the plain loss, never mined, without row weights or
 * regularisers, and the metrics. Reads once, at the end.
 */
export function validator(settings: StepSettings, {names, evaluate}: Evaluator, source: BatchSource): Validation {
  /** Sums over the rows of a batch and their number, for the loss and each metric. */
  const sums = ({xs, ys}: TrainingBatch): Tensor1D =>
    tidy(() => {
      const batch = stepBatch(settings, xs, ys);
      const {finite, valid, count, view, formed} = batch;
      const {losses, predictions} = inferred(settings, {...batch.given, rowWeights: [], view, formed, finite});
      // On some backends a ReLU of NaN is 0, so a row of NaN would look easy.
      const judged = finite ? chooseEach(finite, losses, fill([count], Number.NaN)) : losses;
      const isValid = valid ? notEqual(valid, 0) : ones([count], 'bool');
      const ofValid = sum<Scalar>(chooseEach(isValid, judged, zerosLike(judged)));
      const ofMetrics = evaluate(batch, predictions).flatMap(({value, count: rows}) => [
        mul<Scalar>(value, rows),
        rows,
      ]);
      return packed([ofValid, sum<Scalar>(cast(isValid, 'float32')), ...ofMetrics]);
    });
  const total = async (
    isStopped: () => boolean,
    afterBatch: () => Promise<void>,
  ): Promise<Float32Array | undefined> => {
    let added: Tensor1D | undefined;
    try {
      for await (const batch of source.batches(START)) {
        const before = added;
        added = tidy(() => keep(before ? add<Tensor1D>(before, sums(batch)) : sums(batch)));
        before?.dispose();
        await afterBatch();
        if (isStopped()) return undefined;
      }
      return await added?.data<'float32'>();
    } finally {
      added?.dispose();
    }
  };
  return {
    check: async () => source.look?.(({xs, ys}) => tidy(() => checkTargets(settings, evaluate, xs, ys))),
    async run(isStopped, afterBatch) {
      const summed = await keepingStates(settings.model, () => total(isStopped, afterBatch));
      // Without rows the mean is NaN; a row with few labels counts as a fraction of one.
      const meanAt = (place: number) => (summed?.[2 * place] as number) / (summed?.[2 * place + 1] as number);
      const ofMetrics = names.map((name, i) => [`val_${name}`, meanAt(i + 1)]);
      return summed && {val_loss: meanAt(0), ...Object.fromEntries(ofMetrics)};
    },
  };
}

/**
 * Evaluates losses and metrics on constant predictions: running the model would advance a stateful
 * RNN.
 */
function checkTargets(settings: StepSettings, evaluate: Evaluator['evaluate'], xs: StepTensors, ys: StepTensors): void {
  const {where, model, losses, lossWeights} = settings;
  const batch = stepBatch(settings, xs, ys);
  const rows = batch.xs[0]?.shape[0] as number;
  const shapes = model.outputs.map(({shape}) => shape?.slice(1));
  if (shapes.length === 0 || !shapes.every((shape) => shape?.every((size) => size !== null))) return;
  const made = shapes.map((shape) => fill([rows, ...(shape as number[])], 0.5));
  const predictions = batch.view.predictions(made);
  outputLosses(where, losses, lossWeights, batch.ys, predictions, batch.view.losses);
  evaluate(batch, predictions);
}
