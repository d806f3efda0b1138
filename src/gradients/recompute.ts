import type {BackwardPass} from './backwardPass';
import {takeBatchRows} from './batch';
import {differentiate} from './differentiate';
import {isSound} from './soundness';

/**
 * Scores the batch without a tape, then runs an ordinary step on the rows that were selected.
 *
 *     n rows forward (inference mode), k rows forward and backward (training mode)
 *
 * The two copies of the network of the OHEM paper, one read-only and one trained, with the least memory: only `k` rows of
 * activations are ever saved. Rows are scored in inference mode, so that dropout is drawn and the statistics of batch
 * normalisation move once a step, by the selected rows.
 *
 * @see Shrivastava, Gupta & Girshick, CVPR 2016, §4.2 (arXiv:1604.03540)
 */
export const recompute: BackwardPass = (task) => {
  const predictions = task.predict(task.batch.xs, false);
  const scores = task.score(task.batch, predictions);
  const {selection, rows, counts} = task.select(scores, predictions);
  const kept = takeBatchRows(task.batch, rows);
  const {gradients} = differentiate(() => task.objective(kept, task.predict(kept.xs, true), counts), task.variables);
  return {scores, selection, gradients, sound: isSound(gradients)};
};
