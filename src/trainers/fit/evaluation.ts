/** @file Metrics of a batch beside its loss, and evaluation of validation rows. */

import {
  abs,
  add,
  cast,
  where as chooseEach,
  fill,
  keep,
  lessEqual,
  logicalAnd,
  mul,
  notEqual,
  ones,
  reshape,
  type Scalar,
  sum,
  type Tensor,
  type Tensor1D,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {Logs} from '@tensorflow/tfjs-layers';
import {typeError} from '../../checks';
import {type BatchSource, START, type TrainingBatch} from '../../data/batchSource';
import {labelMarksOf, validEntries} from '../../losses/formula';
import {keepingStates} from '../../models/model';
import {countedOutputs, outputLosses} from '../../models/modelLosses';
import type {PerSampleLoss} from '../../types';
import {inferred} from '../step/backward';
import {type StepBatch, stepBatch} from '../step/batch';
import type {StepSettings} from '../step/options';
import {packed} from '../step/report';
import {compiledMetrics} from './compiledMetrics';
import {type Counted, type Figure, meanOf, metricFigure, sameRank} from './metricFigures';
import {namingData, validationCheck} from './validationCheck';

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
  const counts = countedOutputs(lossWeights);
  // A joint loss has no parts by output; an output of weight 0 may have neither loss nor target.
  const outputs = targets && targets.length > 1 ? counts : [];
  const warnOfZeros = zerosWatch(settings);
  const metrics = compiledMetrics(settings).filter(({output}) => !targets || counts.includes(output));
  return {
    names: withSuffixes([...outputs.map((output) => `${targets?.[output]}_loss`), ...metrics.map(({name}) => name)]),
    evaluate(batch, predictions) {
      if (metrics.length > 0 && batch.ys.length !== model.outputNames.length) {
        const remedy = 'Compile the model without metrics.';
        const constraint = `be ${model.outputNames.length} targets for the metrics, one for each output`;
        throw typeError(settings.where, 'ys', constraint, `${batch.ys.length}`, remedy);
      }
      if (outputs.length + metrics.length === 0) return [];
      const counted = countedParts(settings, batch, predictions);
      const ofOutputs = outputs.map((output) =>
        outputFigure(settings, batch, predictions, output, counted(output).entries),
      );
      const ofMetrics = metrics.map((compiled) => {
        const {name, output} = compiled;
        const [yTrue, yPred] = [batch.given.ys[output] as Tensor, predictions[output] as Tensor];
        const figure = metricFigure(compiled, yTrue, yPred, counted(output));
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

/**
 * Builds the masks of each output: its rows or entries, and its labels if the loss ignores some.
 */
function countedParts({losses}: StepSettings, {valid, finite, given}: StepBatch, predictions: Tensor[]) {
  const rows = [...(valid ? [notEqual(valid, 0)] : []), ...(finite ? [finite] : [])] as Tensor1D[];
  const within = (marks: readonly Tensor[]): Tensor | undefined => {
    const [first, ...others] = marks;
    return first && others.reduce((both, next) => logicalAnd(both, reshape(next, sameRank(next.shape, both))), first);
  };
  const parts = (output: number): Counted => {
    const loss = losses[output] as PerSampleLoss | undefined;
    const [yTrue, yPred] = [given.ys[output] as Tensor, predictions[output] as Tensor];
    const marks = loss && validEntries(loss, yTrue, yPred);
    const entries = within([...(marks ? [notEqual(marks, 0)] : []), ...rows]);
    if (!entries || !loss?.binary || yTrue.size !== yPred.size) return {entries, labels: undefined};
    const ofLabels = labelMarksOf(loss)?.(yTrue, yPred) ?? isAnyLabel(loss, yTrue, yPred);
    return {entries, labels: within([ofLabels, entries])};
  };
  const known = new Map<number, Counted>();
  return (output: number): Counted => {
    const counted = known.get(output) ?? parts(output);
    known.set(output, counted);
    return counted;
  };
}

/** The labels of a custom binary loss, which ignores all values but 0 and 1, or −1 and 1. */
function isAnyLabel(loss: PerSampleLoss, yTrue: Tensor, yPred: Tensor): Tensor {
  return loss.valid ? lessEqual(abs(reshape(yTrue, yPred.shape)), 1) : fill(yPred.shape, 1, 'bool');
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
  /** Completes the check by the predictions of the first training batch, before its update. */
  checkWith: Evaluator['evaluate'];
  /** Computes `val_…` logs over all rows; undefined if `isStopped` returned true before the end. */
  run(isStopped: () => boolean, afterBatch: () => Promise<void>): Promise<Logs | undefined>;
}

/** Computes sums over the rows of a batch, and their numbers, for the loss and each metric. */
function sumsOf(settings: StepSettings, evaluate: Evaluator['evaluate'], {xs, ys}: TrainingBatch): Tensor1D {
  return tidy(() => {
    const batch = stepBatch(settings, xs, ys);
    const {finite, valid, count, view, formed} = batch;
    const {losses, predictions} = inferred(settings, {...batch.given, rowWeights: [], view, formed, finite});
    // On some backends a ReLU of NaN is 0, so a row of NaN would look easy.
    const judged = finite ? chooseEach(finite, losses, fill([count], Number.NaN)) : losses;
    const isValid = valid ? notEqual(valid, 0) : ones([count], 'bool');
    const ofValid = sum<Scalar>(chooseEach(isValid, judged, zerosLike(judged)));
    const ofMetrics = evaluate(batch, predictions).flatMap(({value, count: rows}) => [mul<Scalar>(value, rows), rows]);
    return packed([ofValid, sum<Scalar>(cast(isValid, 'float32')), ...ofMetrics]);
  });
}

/**
 * Builds the validation of a model: the plain loss, never mined, without row weights or
 * regularisers, and the metrics. Reads once, at the end.
 *
 * @param name  the option that the rows come from, for errors.
 * @param held  gets the tensors kept between two checks; the caller disposes them.
 */
export function validator(
  settings: StepSettings,
  {names, evaluate}: Evaluator,
  source: BatchSource,
  {name, held}: {name: string; held: Tensor[]},
): Validation {
  const check = validationCheck(settings, evaluate, name, held);
  const total = async (
    isStopped: () => boolean,
    afterBatch: () => Promise<void>,
  ): Promise<Float32Array | undefined> => {
    let added: Tensor1D | undefined;
    try {
      for await (const batch of source.batches(START)) {
        const before = added;
        const ofBatch = () => namingData(settings.where, name, () => sumsOf(settings, evaluate, batch));
        added = tidy(() => keep(before ? add<Tensor1D>(before, ofBatch()) : ofBatch()));
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
    check: () => check.before(source),
    checkWith(batch, predictions) {
      check.withPredictions(batch, predictions);
      return evaluate(batch, predictions);
    },
    async run(isStopped, afterBatch) {
      const summed = await keepingStates(settings.model, () => total(isStopped, afterBatch));
      // Without rows the mean is NaN; a row with few labels counts as a fraction of one.
      const meanAt = (place: number) => (summed?.[2 * place] as number) / (summed?.[2 * place + 1] as number);
      const ofMetrics = names.map((name, i) => [`val_${name}`, meanAt(i + 1)]);
      return summed && {val_loss: meanAt(0), ...Object.fromEntries(ofMetrics)};
    },
  };
}
