import {dispose} from '@tensorflow/tfjs-core';
import type {BackwardPass, Scores, Settled} from './backwardPass';
import {takeBatchRows} from './batch';
import {differentiate} from './differentiate';
import {takeTapedRows} from './rows';
import {isSound} from './soundness';
import {unkept, untaped} from './tape';

/**
 * Runs the whole batch forward once on the tape, and lets only the selected rows' losses flow back.
 *
 *     n rows forward, n rows backward (training mode)
 *
 * The gradient of every other row is 0 from the loss on, but its zeros go through the whole backward pass: no
 * computation is saved. The choice where every row is kept, and where nothing can be pruned.
 */
export const masked: BackwardPass = (task) => {
  const xs = task.cleanInputs();
  let chosen: (Scores & Settled) | undefined;
  try {
    const {gradients} = differentiate(() => {
      const predictions = task.predict(xs, true);
      chosen = untaped(() => {
        const scores = task.score(task.batch, predictions);
        return {...scores, ...task.select(scores, predictions)};
      });
      const {rows, selection, counts} = chosen;
      const {ys, rowWeights} = takeBatchRows({...task.batch, xs: []}, rows);
      const keptPredictions = predictions.map((prediction) => takeTapedRows(prediction, rows, selection.weights));
      return task.objective({xs: [], ys, rowWeights}, keptPredictions, counts);
    }, task.variables);
    const {losses, ranking, selection} = unkept(chosen as unknown as Scores & Settled) as Scores & Settled;
    return {scores: {losses, ranking}, selection, gradients, sound: isSound(gradients)};
  } finally {
    if (chosen) dispose(chosen);
  }
};
