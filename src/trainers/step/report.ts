import {
  cast,
  where as chooseEach,
  concat,
  dispose,
  div,
  greater,
  isFinite as isFiniteTensor,
  keep,
  logicalAnd,
  logicalNot,
  maximum,
  mul,
  notEqual,
  reshape,
  type Scalar,
  sum,
  type Tensor1D,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {takeRows} from '../../rows';
import type {Reduction, Selection} from '../../types';
import {reduceKept} from './selection';

/** The figures of a step as numbers. */
export interface StepSummary {
  loss: number;
  batchLoss: number;
  /** How many rows were learned from. */
  kept: number;
  /** How many rows were left out because their loss was not finite. */
  nonFinite: number;
}

/**
 * What a step saw and did, still on the device: the step has waited for nothing. Yours to `read()` or `dispose()`. Figures are
 * computed when they are first asked for. When elements are mined, every row here is an element: the losses are `float32[B·P]` in
 * row-major order, the selection points into them, and elements are counted.
 */
export interface StepReport {
  /** `float32[]`, the reduction of the kept rows' losses as they were scored, without regularisers; 0 if nothing was learned. */
  readonly loss: Scalar;
  /** `float32[]`, mean loss of all rows that are valid and finite. */
  readonly batchLoss: Scalar;
  /** `float32[B]`, the weighted loss of every row, as it was ranked. */
  readonly losses: Tensor1D;
  /** Which rows were backpropagated, hardest first. */
  readonly selection: Selection;
  /** `int32[]`, rows left out because their loss (or their input) was not finite. */
  readonly nonFinite: Scalar;
  /** Reads the figures, once and together, and disposes the report. */
  read(): Promise<StepSummary>;
  /** Disposes every tensor of the report. */
  dispose(): void;
}

/** What a report is computed from. (A type, so that `tf.tidy` takes it.) */
export type Reported = {
  losses: Tensor1D;
  selection: Selection;
  /** `[B]`, 0 = not valid; undefined if all rows are valid. */
  valid: Tensor1D | undefined;
};

/** Builds the report of a step, which owns the given tensors. */
export function stepReport({losses, selection, valid}: Reported, reduction: Reduction): StepReport {
  const computed = new Map<string, Scalar>();
  const figure = (name: string, compute: () => Scalar): Scalar => {
    const known = computed.get(name) ?? tidy(() => keep(compute()));
    computed.set(name, known);
    return known;
  };
  const ofValid = (marks: Tensor1D): Tensor1D => (valid ? logicalAnd(marks, notEqual(valid, 0)) : marks);
  let isRead = false;
  const report: StepReport = {
    losses,
    selection,
    get loss() {
      return figure('loss', () =>
        reduceKept(takeRows(losses, selection.indices), selection.weights, losses.size, reduction),
      );
    },
    get batchLoss() {
      return figure('batchLoss', () => {
        const counted = ofValid(isFiniteTensor(losses));
        const total = sum(chooseEach(counted, losses, zerosLike(losses)));
        return div(total, maximum(sum(cast(counted, 'float32')), 1));
      });
    },
    get nonFinite() {
      return figure('nonFinite', () => sum(cast(ofValid(logicalNot(isFiniteTensor(losses))), 'int32')));
    },
    dispose() {
      dispose([losses, selection.indices, selection.weights, ...(valid ? [valid] : []), ...computed.values()]);
    },
    async read() {
      if (isRead) {
        throw new Error('StepReport: read() must be called once, got a second call. Keep what the first returned.');
      }
      isRead = true;
      const figures = tidy(() => figuresOf(report));
      report.dispose();
      try {
        const [loss, batchLoss, kept, nonFinite] = (await figures.data<'float32'>()) as unknown as number[];
        return {loss, batchLoss, kept, nonFinite} as StepSummary;
      } finally {
        figures.dispose();
      }
    },
  };
  return report;
}

/** `loss`, `batchLoss`, how many rows were kept, and `nonFinite`, side by side: `float32[4]`. */
export function figuresOf({loss, batchLoss, selection, nonFinite}: StepReport): Tensor1D {
  const kept = sum<Scalar>(cast(greater(selection.weights, 0), 'float32'));
  return packed([loss, batchLoss, kept, nonFinite]);
}

/** Puts scalars side by side, to be read together. */
export function packed(scalars: Scalar[]): Tensor1D {
  return concat(scalars.map((value) => reshape(cast(value, 'float32'), [1])));
}

/** What a step reports of its selection: rows that did not count were not learned from. */
export function reportedSelection({indices, weights}: Selection, sound: Scalar | boolean): Selection {
  if (sound === true) return {indices, weights};
  return {indices, weights: mul(weights, sound === false ? 0 : cast(sound, 'float32')) as Tensor1D};
}
