import {
  add,
  cast,
  where as chooseEach,
  concat,
  keep,
  mul,
  reshape,
  type Scalar,
  sum,
  type Tensor1D,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {Logs} from '@tensorflow/tfjs-layers';
import {stepBatch} from '../stepInputs';
import {type StepSettings, stepTask} from '../stepTask';
import {type BatchSource, START, type TrainingBatch} from './batchSource';
import type {Evaluator} from './evaluator';

/** Judges a model by rows that it does not learn from. */
export interface Validation {
  /** Tries the first batch, to find what does not fit before anything is trained. */
  check(): Promise<void>;
  /** Figures over all rows, as `val_…`; undefined where `isStopped` said so before the end. */
  run(isStopped: () => boolean, afterBatch: () => Promise<void>): Promise<Logs | undefined>;
}

/** Computes the plain loss, never mined and without weights of rows or regularisers, and the metrics. Reads once, at the end. */
export function validation(settings: StepSettings, {names, evaluate}: Evaluator, source: BatchSource): Validation {
  /** Sums over the rows of a batch: losses, valid rows, rows, and each metric. */
  const sums = ({xs, ys, size}: TrainingBatch): Tensor1D =>
    tidy(() => {
      const batch = stepBatch(settings, xs, ys);
      const task = stepTask(settings, [], batch, {});
      const predictions = task.predict(batch.xs, false);
      const {losses} = task.score(batch, predictions);
      const ofValid = sum<Scalar>(chooseEach(task.valid, losses, zerosLike(losses)));
      const ofMetrics = evaluate(batch, predictions).map((value) => mul<Scalar>(value, size));
      return packed([ofValid, sum<Scalar>(cast(task.valid, 'float32')), ...ofMetrics]);
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

/** Puts scalars side by side, to be read together. */
export function packed(scalars: Scalar[]): Tensor1D {
  return concat(scalars.map((value) => reshape(cast(value, 'float32'), [1])));
}
