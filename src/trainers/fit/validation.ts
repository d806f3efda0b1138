import {
  add,
  cast,
  where as chooseEach,
  fill,
  keep,
  mul,
  notEqual,
  ones,
  type Scalar,
  sum,
  type Tensor1D,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {Logs} from '@tensorflow/tfjs-layers';
import {type BatchSource, START, type TrainingBatch} from '../../data/batchSource';
import {runForward} from '../step/backward';
import {stepBatch} from '../step/batch';
import type {StepSettings} from '../step/options';
import {packed} from '../step/report';
import type {Evaluator} from './evaluator';

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
      const {losses, predictions} = runForward(settings, {...batch.given, rowWeights: [], view}, false);
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
