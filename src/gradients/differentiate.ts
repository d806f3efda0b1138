import {
  add,
  mul,
  type NamedTensorMap,
  type Scalar,
  sum,
  type Tensor,
  type Tensor1D,
  type TensorContainer,
  type Variable,
} from '@tensorflow/tfjs-core';
import {canRecord, differentiateByTfjs, offTape, type Tape} from '../engine';
import {type RowCut, rowCut} from './places';
import {mixingOp} from './rowwise';
import {type Stage, type StagePass, type StageWalk, tapedStage, walkStages} from './stage';
import type {Start} from './walk';

/** What a batch comes to, once its losses are known. */
export interface Objective<T extends TensorContainer> {
  /** Whatever else is wanted of it. */
  seen: T;
  /** Outputs of the two stages with their gradients, which the walk back disposes. */
  starts: Start[];
  /** The rows that the gradients of starts with a place are of, and the op before which all rows go on in any case. */
  cut?: {rows: Tensor1D; batchSize: number; from: number} | undefined;
  /** Tensors from whose rows everything must be computed row by row; `mixing` says if it was. */
  rowwise?: {tensors: Tensor[]; batchSize: number};
}

/** A forward pass in two stages, and what it comes to. */
export interface ForwardPass<T extends TensorContainer> {
  model: Stage;
  loss(model: Pick<StagePass, 'outputs' | 'ops'>): Stage;
  /** Runs off the tapes. */
  objective(model: Pick<StagePass, 'outputs' | 'ops'>, losses: Tensor[]): Objective<T>;
}

/** Runs the stages of a forward pass. */
export interface Stages {
  model(stage: Stage): StagePass;
  loss(stage: Stage, model: StagePass): StagePass;
}

export interface Differentiated<T> {
  seen: T;
  gradients: NamedTensorMap;
  /** How far the walk back was cut; undefined if tfjs differentiated, since its tape cannot be recorded. */
  walked: StageWalk | undefined;
  /** The op that is not proved to go row by row; undefined if all are, or nothing was asked. */
  mixing: string | undefined;
}

const ON_TAPES: Stages = {model: tapedStage, loss: tapedStage};

/**
 * Runs a forward pass, and differentiates its objective by variables. Runs within a `tidy`.
 *
 * @param where  the function that errors are to name.
 * @param stages  runs its stages; by default on tapes.
 */
export function differentiate<T extends TensorContainer>(
  where: string,
  variables: Variable[],
  forward: ForwardPass<T>,
  stages: Stages = ON_TAPES,
): Differentiated<T> {
  if (!canRecord()) return {...byTfjs(variables, forward), walked: undefined, mixing: 'an op'};
  const ran: StagePass[] = [];
  let rows: RowCut | undefined;
  try {
    const model = stages.model(forward.model);
    ran.push(model);
    const loss = stages.loss(forward.loss(model), model);
    ran.push(loss);
    const {seen, starts, cut, rowwise} = forward.objective(model, loss.outputs);
    rows = cut && rowCut(cut.rows, cut.batchSize);
    const walkCut = rows && {...rows, from: cut?.from ?? 0};
    const mixing = rowwise && mixingOp(tapeOf(ran), rowwise.tensors, rowwise.batchSize);
    const {gradients, ...walked} = walkStages(where, {model, loss}, starts, variables, walkCut);
    return {seen, gradients, walked, mixing};
  } finally {
    rows?.dispose();
    for (const pass of ran) pass.dispose();
  }
}

/** The tapes of stages as one. */
function tapeOf(passes: StagePass[]): Pick<Tape, 'ops' | 'reads'> {
  const tapes = passes.flatMap(({tape}) => tape ?? []);
  return {ops: tapes.flatMap(({ops}) => ops), reads: new Set(tapes.flatMap(({reads}) => [...reads]))};
}

function byTfjs<T extends TensorContainer>(variables: Variable[], forward: ForwardPass<T>) {
  return differentiateByTfjs(() => {
    const model = forward.model.compute();
    const {outputs: losses} = forward.loss(model).compute();
    const {seen, starts, cut} = offTape(() => forward.objective(model, losses));
    const rows = cut && rowCut(cut.rows, cut.batchSize);
    const terms = starts.map(({tensor, value, place}) => {
      const gradient = place && rows ? rows.put(value, place, tensor.shape) : value;
      return sum<Scalar>(mul(tensor, gradient));
    });
    rows?.dispose();
    return {seen, objective: terms.reduce((total, next) => add(total, next))};
  }, variables);
}
