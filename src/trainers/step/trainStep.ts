import {clone, type Scalar} from '@tensorflow/tfjs-core';
import {typeError} from '../../checks';
import {canRecord, offTape} from '../../engine';
import {trainableVariables} from '../../models/model';
import type {StepTensors} from '../../models/modelTensors';
import {slotOwners} from '../checkpoint/optimizerSlots';
import {beforeFirst, recomputeBatch, walkBatch} from './backward';
import {type StepBatch, stepBatch} from './batch';
import type {Forward} from './forward';
import {layerOps} from './layerOps';
import {type BackwardStrategy, checkBatchOptions, type StepOptions, type StepSettings} from './options';
import {type Reported, reportedSelection} from './report';
import type {SelectorState} from './selectorState';
import {clipByGlobalNorm, takeSnapshot, update} from './update';

/** A step that was taken, in tensors of the `tidy` around it. (A type, so that `tf.tidy` takes it.) */
export type TakenStep = {
  reported: Reported;
  /** What `evaluate` returned. */
  evaluated: Scalar[];
};

/** Computes figures of a batch from its forward pass. */
export type Evaluate = (batch: StepBatch, forward: Forward) => Scalar[];

/** Takes one step after the other. */
export interface Stepper {
  /** Trains on a batch; figures are evaluated before the weights change. Runs within a `tidy`. */
  take(xs: StepTensors, ys: StepTensors, options?: StepOptions | null, evaluate?: Evaluate): TakenStep;
  readonly strategy: 'auto' | BackwardStrategy;
  readonly why: string;
}

/** Builds the step that `ohemStep` and `fitOhem` share. */
export function stepper(settings: StepSettings, state: SelectorState): Stepper {
  const {where, model, optimizer, clipNorm, backward} = settings;
  const compute = backward === 'recompute' ? recomputeBatch : walkBatch;
  const layers = layerOps(model);
  // The weights that were ever trained, in the order of the slots, which optimizers find by position.
  const everTrained = new Set(slotOwners(optimizer));
  let how = beforeFirst(settings);
  let taken = 0;

  const take: Stepper['take'] = (xs, ys, options, evaluate) => {
    checkBatchOptions(where, options);
    const batch = stepBatch(settings, xs, ys, {step: taken, ...options});
    const variables = trainableVariables(where, model);
    const before = takeSnapshot(model, optimizer);
    try {
      const {forward, chosen, gradients, strategy, why} = compute(settings, batch, variables, state, layers);
      if (Object.keys(gradients).length === 0) throw unconnected(where);
      const evaluated = evaluate?.(batch, forward) ?? [];
      const clipped = clipByGlobalNorm(gradients, clipNorm);
      for (const {name} of variables) everTrained.add(name);
      const {selection, losses} = chosen;
      const sound = update(optimizer, {gradients: clipped, weights: selection.weights}, [...everTrained], before);
      how = {strategy, why};
      taken++;
      state.advance(taken);
      return {
        reported: {losses, selection: reportedSelection(selection, sound), valid: batch.valid && clone(batch.valid)},
        evaluated,
      };
    } catch (error) {
      before.restore();
      state.stay();
      throw error;
    }
  };
  return {
    // Inside the gradient of somebody else: that is none of theirs.
    take: (...given) => (canRecord() ? offTape(() => take(...given)) : take(...given)),
    get strategy() {
      return how.strategy;
    },
    get why() {
      return how.why;
    },
  };
}

function unconnected(where: string): TypeError {
  const remedy = 'Compute it from yPred by ops of tfjs, and read no values on the way.';
  return typeError(where, 'loss', 'depend on a weight to train', 'one that depends on none', remedy);
}
