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
import {canRecord, differentiateByTfjs, record} from '../engine';
import {rowCut} from './places';
import {mixingOp} from './rowwise';
import {type Start, type Walked, walkBack} from './walk';

/** What a forward pass comes to. */
export interface Objective<T extends TensorContainer> {
  /** Whatever else is wanted of the forward pass. */
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
  walked: Omit<Walked, 'gradients'> | undefined;
  /** The op that is not proved to go row by row; undefined if all are, or nothing was asked. */
  mixing: string | undefined;
  /** The name of the op at which the walk stopped being cut. */
  blocker: string | undefined;
}

/**
 * Runs a forward pass on a tape of its own, and differentiates its objective by variables. Runs within a `tidy`.
 *
 * @param where  the function that errors are to name.
 */
export function differentiate<T extends TensorContainer>(
  where: string,
  variables: Variable[],
  forward: () => Objective<T>,
): Differentiated<T> {
  if (!canRecord()) return {...byTfjs(variables, forward), walked: undefined, mixing: 'an op', blocker: undefined};
  const {result, tape} = record(forward);
  const {seen, starts, cut, rowwise} = result;
  const rows = cut && rowCut(cut.rows, cut.batchSize);
  try {
    const mixing = rowwise && mixingOp(tape, rowwise.tensors, rowwise.batchSize);
    const {gradients, ...walked} = walkBack(
      where,
      tape.ops,
      starts,
      variables,
      rows && {...rows, from: cut?.from ?? 0},
    );
    return {seen, gradients, walked, mixing, blocker: tape.ops[walked.blockedAt]?.name};
  } finally {
    rows?.dispose();
    tape.dispose();
  }
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
