import {grad, type Tensor, tidy} from '@tensorflow/tfjs-core';
import {ownOp} from '../engine';
import type {PerSampleLoss} from '../types';
import {rowwise} from './truth';

type Formula = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** Computes `∂ Σ dl · l / ∂ yPred` from `dl`, in the shape of the losses, and the tensors of some rows. */
type Gradient = (dl: Tensor, yTrue: Tensor, yPred: Tensor) => Tensor;

/** Marks losses that go by what they are given, and by nothing else. */
const CLOSED_FORM = Symbol('closed form');

/** Whether a loss goes by what it is given alone, and by the same formula each time. */
export function isClosedForm(loss: PerSampleLoss): boolean {
  return CLOSED_FORM in loss;
}

/**
 * Builds a loss that judges each row by itself, and whose gradient by the predictions is a formula.
 *
 * In a step it is a single op: nothing of what the losses are made of is saved, and the formula is evaluated for
 * the kept rows alone. Anybody else's gradient goes through the ops of `losses`.
 */
export function closedForm(name: string, losses: Formula, gradient: Gradient): PerSampleLoss {
  const formula: Formula = (yTrue, yPred) => tidy(() => losses(yTrue, yPred));
  const loss = (yTrue: Tensor, yPred: Tensor) =>
    ownOp({
      name,
      inputs: {yTrue, yPred},
      forward: () => formula(yTrue, yPred),
      gradient: (dl, [ofTrue, ofPred]) => ({
        yPred: () => tidy(() => gradient(dl, ofTrue as Tensor, ofPred as Tensor)),
        // Wanted only where the truth is computed by what is trained.
        yTrue: () => grad((truth) => formula(truth, ofPred as Tensor))(ofTrue as Tensor, dl),
      }),
    });
  return rowwise(Object.assign(loss, {[CLOSED_FORM]: true}));
}
