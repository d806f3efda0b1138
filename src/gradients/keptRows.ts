import {type DataId, dispose, keep, reshape, type Tensor} from '@tensorflow/tfjs-core';
import type {RowCut} from './rowPlan';
import {takeRows} from './rows';
import type {TapeNode} from './tape';

/** The kept rows of saved tensors. Of those that share their memory they are taken once, and held for as long as a walk may ask for them. */
export interface KeptRows {
  /** `[B, …] → float32[K, size / B]`; not to be disposed by who asks. */
  of(tensor: Tensor): Tensor;
  /** Disposes what no node before this one has saved. */
  release(node: number): void;
}

/** Takes rows for a walk over these nodes, from the last to the first; `release(0)` ends it. No `tidy` disposes what it holds. */
export function keptRows(nodes: readonly TapeNode[], {rows, batchSize, plan}: RowCut): KeptRows {
  const taken = new Map<DataId, Tensor>();
  // What one op gives and the next takes is saved by both.
  const firstSavedBy = new Map<DataId, number>();
  for (const i of plan?.keys() ?? []) {
    for (const {dataId} of nodes[i]?.saved ?? []) if (!firstSavedBy.has(dataId)) firstSavedBy.set(dataId, i);
  }
  return {
    of(tensor) {
      const held = taken.get(tensor.dataId);
      if (held) return held;
      const perRow = tensor.size / batchSize;
      const isMatrix = tensor.rank === 2 && tensor.shape[1] === perRow;
      const matrix = isMatrix ? tensor : reshape(tensor, [batchSize, perRow]);
      const kept = keep(takeRows(matrix, rows));
      taken.set(tensor.dataId, kept);
      return kept;
    },
    release(node) {
      for (const [dataId, kept] of taken) {
        if ((firstSavedBy.get(dataId) ?? node) < node) continue;
        dispose(kept);
        taken.delete(dataId);
      }
    },
  };
}
