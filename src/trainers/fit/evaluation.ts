/** @file The figures of a batch beside its loss, and those of rows that are not trained on. */

import {
  add,
  cast,
  where as chooseEach,
  fill,
  keep,
  mean,
  mul,
  notEqual,
  ones,
  type Scalar,
  sum,
  type Tensor,
  type Tensor1D,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {LayersModel, Logs} from '@tensorflow/tfjs-layers';
import {type BatchSource, START, type TrainingBatch} from '../../data/batchSource';
import {outputLosses} from '../../models/modelLosses';
import {inferred} from '../step/backward';
import {type StepBatch, stepBatch} from '../step/batch';
import type {StepSettings} from '../step/options';
import {packed} from '../step/report';

/** Computes the figures that tfjs logs beside the loss, under its names. */
export interface Evaluator {
  names: readonly string[];
  /** A scalar for each name: the mean over all rows of the batch. */
  evaluate(batch: StepBatch, predictions: Tensor[]): Scalar[];
}

/** Evaluates the loss of each output where there are several, and the metrics that the model was compiled with. */
export function evaluator({where, model, losses, targets}: StepSettings): Evaluator {
  // A joint loss has no parts by output.
  const outputs = targets ?? [];
  const withOutputs = outputs.length > 1;
  const unweighted = outputs.map(() => 1);
  // Of several outputs tfjs puts the losses first.
  const compiled = (model.metricsTensors ?? []).slice(model.outputNames.length > 1 ? model.outputNames.length : 0);
  return {
    names: withSuffixes([...(withOutputs ? outputs.map((name) => `${name}_loss`) : []), ...metricNames(model)]),
    evaluate({given: {ys, rowWeights}, view}, predictions) {
      const ofRows = withOutputs ? outputLosses(where, losses, unweighted, ys, predictions, view.losses) : [];
      const ofOutputs = ofRows.map((values, output) => mean<Scalar>(mul<Tensor1D>(values, rowWeights[output] ?? 1)));
      const ofMetrics = compiled.map(([metric, output]) =>
        mean<Scalar>(metric(ys[output] as Tensor, predictions[output] as Tensor)),
      );
      return [...ofOutputs, ...ofMetrics];
    },
  };
}

function metricNames(model: LayersModel): string[] {
  const lossNames = model.outputNames.length > 1 ? model.outputNames.length + 1 : 1;
  return (model.metricsNames ?? []).slice(lossNames);
}

/** Gives names that occur twice (`acc`, `acc`) a number each (`acc_0`, `acc_1`), as tfjs does. */
function withSuffixes(names: string[]): string[] {
  return names.map((name, i) => {
    const isTwice = names.indexOf(name) !== names.lastIndexOf(name);
    return isTwice ? `${name}_${names.slice(0, i).filter((earlier) => earlier === name).length}` : name;
  });
}

/** Judges a model by rows that it does not learn from. */
export interface Validation {
  /** Tries the first batch, to find what does not fit before anything is trained. */
  check(): Promise<void>;
  /** Figures over all rows, as `val_…`; undefined where `isStopped` said so before the end. */
  run(isStopped: () => boolean, afterBatch: () => Promise<void>): Promise<Logs | undefined>;
}

/** Computes the plain loss, never mined and without weights of rows or regularisers, and the metrics. Reads once, at the end. */
export function validator(settings: StepSettings, {names, evaluate}: Evaluator, source: BatchSource): Validation {
  /** Sums over the rows of a batch: losses, valid rows, rows, and each metric. */
  const sums = ({xs, ys, size}: TrainingBatch): Tensor1D =>
    tidy(() => {
      const batch = stepBatch(settings, xs, ys);
      const {finite, valid, count, view} = batch;
      const {losses, predictions} = inferred(settings, {...batch.given, rowWeights: [], view, formed: batch.formed});
      // A ReLU of NaN is 0 on some backends, and such a row would look easy.
      const judged = finite ? chooseEach(finite, losses, fill([count], Number.NaN)) : losses;
      const isValid = valid ? notEqual(valid, 0) : ones([count], 'bool');
      const ofValid = sum<Scalar>(chooseEach(isValid, judged, zerosLike(judged)));
      const ofMetrics = evaluate(batch, predictions).map((value) => mul<Scalar>(value, size));
      return packed([ofValid, sum<Scalar>(cast(isValid, 'float32')), ...ofMetrics]);
    });
  return {
    async check() {
      for await (const batch of source.batches(START)) {
        sums(batch).dispose();
        break;
      }
    },
    async run(isStopped, afterBatch) {
      let rows = 0;
      let total: Tensor1D | undefined;
      try {
        for await (const batch of source.batches(START)) {
          const before = total;
          total = tidy(() => keep(before ? add<Tensor1D>(before, sums(batch)) : sums(batch)));
          before?.dispose();
          rows += batch.size;
          await afterBatch();
          if (isStopped()) return undefined;
        }
        const [loss = 0, valid = 0, ...metrics] = (await total?.data()) ?? [];
        const ofMetrics = names.map((name, i) => [`val_${name}`, (metrics[i] as number) / rows]);
        return {val_loss: loss / Math.max(valid, 1), ...Object.fromEntries(ofMetrics)};
      } finally {
        total?.dispose();
      }
    },
  };
}
