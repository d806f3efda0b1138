import {cast, concat, dispose, greater, reshape, type Scalar, sum, type Tensor1D, tidy} from '@tensorflow/tfjs-core';
import type {Selection} from '../types';

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

export type ReportTensors = Pick<StepReport, 'loss' | 'batchLoss' | 'losses' | 'selection' | 'nonFinite'>;

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
