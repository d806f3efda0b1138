import {ScatterNd, Slice, type TensorInfo} from '@tensorflow/tfjs-core';
import type {Workbench} from './workbench';

/**
 * Adds up rows that have the same target.
 *
 *     result[t] = Σ rows[i] over the i with targets[i] = t,    0 ≤ t < count
 *
 * Rows with a target outside this range are left out. `scatterNd` checks nothing, so an extra row
 * collects them.
 */
export function addRows(bench: Workbench, rows: TensorInfo, targets: Int32Array, count: number): TensorInfo {
  const isThere = (target: number) => target >= 0 && target < count;
  const [total, width] = rows.shape as [number, number];
  const scatter = (values: Int32Array, length: number) =>
    bench.run(ScatterNd, {indices: bench.make(values, [total, 1], 'int32'), updates: rows}, {shape: [length, width]});
  if (targets.every(isThere)) return scatter(targets, count);
  const padded = scatter(
    targets.map((target) => (isThere(target) ? target : count)),
    count + 1,
  );
  return bench.run(Slice, {x: padded}, {begin: [0, 0], size: [count, width]});
}
