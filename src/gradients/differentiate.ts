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
import {canRecord, differentiateByTfjs, record, type Tape} from '../engine';
import {rowCut} from './places';
import {mixingOp} from './rowwise';
import {type Start, type WalkCut, type Walked, walkBack} from './walk';

/** What a model computed. */
export interface ModelRun {
  outputs: Tensor[];
  penalties: Scalar[];
  /** How many ops that took. */
  ops: number;
}

/** What the outputs of a model come to. */
export interface Objective<T extends TensorContainer> {
  /** Whatever else is wanted of them. */
  seen: T;
  /** Tensors on the tape with their gradients, which the walk back disposes. */
  starts: Start[];
  /** The rows that the gradients of starts with a place are of, and the op before which all rows go on in any case. */
  cut?: {rows: Tensor1D; batchSize: number; from: number} | undefined;
  /** Tensors from whose rows everything must be computed row by row; `mixing` says if it was. */
  rowwise?: {tensors: Tensor[]; batchSize: number};
}

export interface Differentiated<T> {
  seen: T;
  gradients: NamedTensorMap;
  /** How far the walk back was cut; undefined if tfjs differentiated, since its tape cannot be recorded. */
  walked: PassWalk | undefined;
  /** The op that is not proved to go row by row; undefined if all are, or nothing was asked. */
  mixing: string | undefined;
}

/** How far a walk through model and loss was cut. */
export interface PassWalk extends Pick<Walked, 'multiplications' | 'blockedAt'> {
  /** The name of the op at which the walk stopped being cut. */
  blocker: string | undefined;
  /** Whether the kernels of an earlier step ran again. */
  isReplayed?: boolean;
}

/** A model that ran forward, and may be walked back through. */
export interface ModelPass {
  run: ModelRun;
  /** Walks back from the ops behind the model, and on through it. */
  back(
    where: string,
    behind: Tape,
    starts: Start[],
    variables: readonly Variable[],
    cut: WalkCut | undefined,
  ): PassWalk & Pick<Walked, 'gradients'>;
  /** Finds the first op that is not proved to go row by row. */
  mixing(behind: Tape, tensors: Tensor[], batchSize: number): string | undefined;
  dispose(): void;
}

/**
 * Runs a model forward on a tape of its own, then what follows on another, and differentiates by variables. Runs within a `tidy`.
 *
 * @param where  the function that errors are to name.
 * @param passOf  runs the model; by default on a tape.
 */
export function differentiate<T extends TensorContainer>(
  where: string,
  variables: Variable[],
  model: () => ModelRun,
  objective: (run: ModelRun) => Objective<T>,
  passOf: (model: () => ModelRun) => ModelPass = tapedPass,
): Differentiated<T> {
  if (!canRecord()) return {...byTfjs(variables, () => objective(model())), walked: undefined, mixing: 'an op'};
  const pass = passOf(model);
  try {
    const {result, tape} = record(() => objective(pass.run));
    const {seen, starts, cut, rowwise} = result;
    const rows = cut && rowCut(cut.rows, cut.batchSize);
    try {
      const mixing = rowwise && pass.mixing(tape, rowwise.tensors, rowwise.batchSize);
      const walkCut = rows && {...rows, from: cut?.from ?? 0};
      const {gradients, ...walked} = pass.back(where, tape, starts, variables, walkCut);
      return {seen, gradients, walked, mixing};
    } finally {
      rows?.dispose();
      tape.dispose();
    }
  } finally {
    pass.dispose();
  }
}

/** A model that ran on a tape. What is behind it is walked through with it, so it may have used whatever the model computed. */
export function tapedPass(model: () => ModelRun): ModelPass & {tape: Tape} {
  const {result: run, tape} = record(model);
  return {
    run,
    tape,
    back(where, behind, starts, variables, cut) {
      const ops = [...tape.ops, ...behind.ops];
      const {gradients, multiplications, blockedAt} = walkBack(where, ops, starts, variables, cut);
      return {gradients, multiplications, blockedAt, blocker: ops[blockedAt]?.name};
    },
    mixing(behind, tensors, batchSize) {
      const both = {ops: [...tape.ops, ...behind.ops], reads: new Set([...tape.reads, ...behind.reads])};
      return mixingOp(both, tensors, batchSize);
    },
    dispose: tape.dispose,
  };
}

function byTfjs<T extends TensorContainer>(variables: Variable[], forward: () => Objective<T>) {
  return differentiateByTfjs(() => {
    const {seen, starts, cut} = forward();
    const rows = cut && rowCut(cut.rows, cut.batchSize);
    const terms = starts.map(({tensor, value, place}) => {
      const gradient = place && rows ? rows.put(value, place, tensor.shape) : value;
      return sum<Scalar>(mul(tensor, gradient));
    });
    rows?.dispose();
    return {seen, objective: terms.reduce((total, next) => add(total, next))};
  }, variables);
}
