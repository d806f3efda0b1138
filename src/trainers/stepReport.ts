import {
  cast,
  where as chooseEach,
  concat,
  dispose,
  div,
  greater,
  isFinite as isFiniteTensor,
  logicalAnd,
  logicalNot,
  maximum,
  mul,
  reshape,
  type Scalar,
  sum,
  type Tensor1D,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {BackwardOutcome} from '../gradients/backwardPass';
import {takeRows} from '../gradients/rows';
import type {Reduction, Selection} from '../types';
import {reduceKept} from './reduce';
import type {StepTask} from './stepTask';

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
 * What a step saw and did, still on the device: the step has waited for nothing. Yours to `read()` or `dispose()`. Where elements are mined, every row
 * here is an element: the losses are `float32[B·P]` in row-major order, the selection points into them, and it is elements that are counted.
 */
export interface StepReport {
  /** `float32[]`, the reduction of the kept rows' losses as they were scored, without regularisers; 0 where nothing was learned. */
  loss: Scalar;
  /** `float32[]`, mean loss of all rows that are valid and finite. */
  batchLoss: Scalar;
  /** `float32[B]`, the weighted loss of every row, as it was ranked. */
  losses: Tensor1D;
  /** Which rows were backpropagated, hardest first. */
  selection: Selection;
  /** `int32[]`, rows left out because their loss (or their input) was not finite. */
  nonFinite: Scalar;
  /** Reads the figures, once and together, and disposes the report. */
  read(): Promise<StepSummary>;
  /** Disposes every tensor of the report. */
  dispose(): void;
}

type ReportTensors = Pick<StepReport, 'loss' | 'batchLoss' | 'losses' | 'selection' | 'nonFinite'>;

/** The figures of a step, from what it scored and selected; `sound` tells whether it was learned from. */
export function reportTensors(
  task: StepTask,
  {scores, selection: chosen}: BackwardOutcome,
  sound: Scalar,
  reduction: Reduction,
): ReportTensors {
  const {losses} = scores;
  // What did not count was not learned from.
  const selection = {indices: chosen.indices, weights: mul(chosen.weights, cast(sound, 'float32')) as Tensor1D};
  const finite = isFiniteTensor(losses);
  const counted = logicalAnd(finite, task.valid);
  const total = sum(chooseEach(counted, losses, zerosLike(losses)));
  const kept = takeRows(losses, selection.indices);
  return {
    loss: reduceKept(kept, selection.weights, task.batchSize, reduction),
    batchLoss: div(total, maximum(sum(cast(counted, 'float32')), 1)),
    losses,
    selection,
    nonFinite: sum(cast(logicalAnd(logicalNot(finite), task.valid), 'int32')),
  };
}

export function stepReport(tensors: ReportTensors): StepReport {
  const release = () => dispose(tensors);
  let isRead = false;
  return {
    ...tensors,
    dispose: release,
    async read() {
      if (isRead)
        throw new Error('StepReport: read() must be called once, got a second call. Keep what the first returned.');
      isRead = true;
      const {loss, batchLoss, selection, nonFinite} = tensors;
      const figures = tidy(() => {
        const kept = sum(cast(greater(selection.weights, 0), 'float32'));
        const scalars = [loss, batchLoss, kept, cast(nonFinite, 'float32')];
        return concat(scalars.map((scalar) => reshape(scalar, [1])));
      });
      release();
      try {
        const [lossRead, batchLossRead, kept, nonFiniteRead] = await figures.data<'float32'>();
        return {
          loss: lossRead as number,
          batchLoss: batchLossRead as number,
          kept: kept as number,
          nonFinite: nonFiniteRead as number,
        };
      } finally {
        figures.dispose();
      }
    },
  };
}
