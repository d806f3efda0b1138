import type {Tensor} from '@tensorflow/tfjs-core';
import type {BackwardOutcome, BackwardPass} from './backwardPass';
import {takeBatchRows} from './batch';
import {onTape} from './onTape';
import {matchesPlan} from './rowPlan';
import {takeRows} from './rows';
import {isSound} from './soundness';
import {takeRowsNode, walkBack} from './walk';

/**
 * Runs the whole batch forward once on the tape, and walks back with the selected rows alone.
 *
 *     n rows forward, k rows backward (training mode)
 *
 * The activations that the tape has saved are cut to the selected rows where the walk comes to them. Where rows mix (batch
 * normalisation in training mode) or an op cannot be cut, the walk goes on with all rows, so that the gradient is that of `masked` everywhere.
 */
export const pruned: BackwardPass = (task) => {
  const {pruning, batchSize, variables} = task;
  const isCutThroughout = pruning !== undefined && !pruning.blocker;
  const xs = isCutThroughout ? task.batch.xs : task.cleanInputs();
  const outcome = onTape(variables, ({nodes, untaped}) => {
    const predictions = task.predict(xs, true);
    const forward = [...nodes()];
    const planFits = pruning !== undefined && matchesPlan(pruning.plan, forward, batchSize);
    const {scores, chosen, taken, kept} = untaped(() => {
      const scored = task.score(task.batch, predictions);
      const settled = task.select(scored, predictions);
      return {
        scores: scored,
        chosen: settled,
        taken: predictions.map((prediction) => takeRows(prediction, settled.rows)),
        kept: takeBatchRows({...task.batch, xs: []}, settled.rows),
      };
    });
    const objective = task.objective(kept, taken, chosen.counts);
    const links = predictions.map((prediction, i) => takeRowsNode(prediction, taken[i] as Tensor));
    const tape = [...forward, ...links, ...nodes().slice(forward.length)];
    return untaped(() => {
      const cut = {rows: chosen.rows, batchSize, plan: planFits ? pruning.plan : undefined};
      const gradients = walkBack(tape, objective, variables, cut);
      return {scores, selection: chosen.selection, gradients, sound: isSound(gradients), planFits};
    });
  });
  return outcome as BackwardOutcome;
};
