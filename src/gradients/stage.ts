/** @file A model and its loss as two stages of a forward pass, which are walked back through in reverse. */

import {type NamedTensorMap, type Tensor, Variable} from '@tensorflow/tfjs-core';
import {record, type Tape, type TapedOp} from '../engine';
import {type Gradient, readersIn, type Start, softmaxesIn, type WalkCut, type Walked, walkBack} from './walk';

/** A part of a forward pass, to be run on a tape. */
export interface Stage {
  compute(): {
    outputs: Tensor[];
    /** How many ops lead to those that are walked back from. */
    ops: number;
  };
  /** What it is computed from. */
  given: readonly Tensor[];
  /** What gradients are wanted by. */
  targets: readonly Tensor[];
}

/** How far a walk was cut. */
export interface StageWalk extends Pick<Walked, 'multiplications' | 'blockedAt'> {
  /** The gradient by each target; undefined if none leads there. */
  found: (Gradient | undefined)[];
  /** The name of the op at which the walk stopped being cut. */
  blocker: string | undefined;
  /** Whether the kernels of an earlier step ran again. */
  isReplayed?: boolean;
}

/** A stage that ran. */
export interface StagePass {
  outputs: Tensor[];
  /** How many ops lead to those that are walked back from. */
  ops: number;
  /** How many ops ran. */
  length: number;
  /** Absent if it was no tape that ran. */
  tape?: Tape;
  /** The outputs that are a softmax which the stage itself does not read, by their ids; absent behind a tape. */
  softmaxes?: ReadonlySet<number>;
  /**
   * Walks back to the targets.
   *
   * @param softmaxes  tensors that are a softmax which only what is behind it reads, by their ids.
   */
  walk(where: string, starts: readonly Start[], cut: WalkCut | undefined, softmaxes?: ReadonlySet<number>): StageWalk;
  dispose(): void;
}

/** Runs a stage on a tape. */
export function tapedStage({compute, targets}: Stage): StagePass & {tape: Tape} {
  const {result, tape} = record(compute);
  const {ops} = tape;
  const walk: StagePass['walk'] = (where, starts, cut, softmaxes) =>
    walkOps(where, ops, starts, targets, cut, readOnce(ops, softmaxes));
  return {...result, length: ops.length, tape, walk, dispose: tape.dispose};
}

/** Those of some tensors that the ops read once. */
export function readOnce(ops: readonly TapedOp[], ids: Iterable<number> = []): Set<number> {
  const readers = readersIn(ops);
  return new Set([...ids].filter((id) => readers.get(id) === 1));
}

/** Walks ops back to targets. */
export function walkOps(
  where: string,
  ops: readonly TapedOp[],
  starts: readonly Start[],
  targets: readonly Tensor[],
  cut: WalkCut | undefined,
  softmaxes?: ReadonlySet<number>,
): StageWalk {
  const {gradients, found, multiplications, blockedAt} = walkBack(where, ops, starts, targets, cut, softmaxes);
  const ofTarget = (target: Tensor): Gradient | undefined => {
    if (!(target instanceof Variable)) return found.get(target.id);
    const value = gradients[target.name];
    return value && {value};
  };
  return {found: targets.map(ofTarget), multiplications, blockedAt, blocker: ops[blockedAt]?.name};
}

/**
 * Walks back through the loss and on through the model.
 *
 * On tapes that is one walk, so the loss may have used whatever the model computed. A model that was replayed is of
 * layers that hand nothing out but their outputs.
 */
export function walkStages(
  where: string,
  {model, loss}: {model: StagePass; loss: StagePass},
  starts: readonly Start[],
  variables: readonly Variable[],
  cut: WalkCut | undefined,
): StageWalk & {gradients: NamedTensorMap} {
  const walked =
    model.tape && loss.tape
      ? walkTogether(where, [...model.tape.ops, ...loss.tape.ops], starts, variables, cut)
      : walkApart(where, {model, loss}, starts, variables, cut);
  const named = variables.flatMap(({name}, i) => {
    const gradient = walked.found[i];
    return gradient ? [[name, gradient.value] as const] : [];
  });
  return {...walked, gradients: Object.fromEntries(named)};
}

function walkTogether(
  where: string,
  ops: readonly TapedOp[],
  starts: readonly Start[],
  variables: readonly Variable[],
  cut: WalkCut | undefined,
): StageWalk {
  const softmaxes = ops.some(({ofSoftmax}) => ofSoftmax) ? new Set(softmaxesIn(ops, 1)) : undefined;
  return walkOps(where, ops, starts, variables, cut, softmaxes);
}

function walkApart(
  where: string,
  {model, loss}: {model: StagePass; loss: StagePass},
  starts: readonly Start[],
  variables: readonly Variable[],
  cut: WalkCut | undefined,
): StageWalk {
  const ends = [...model.outputs, ...variables];
  const isOfModel = ({tensor}: Start) => model.outputs.includes(tensor);
  const from = Math.max((cut?.from ?? 0) - model.length, 0);
  const behind = loss.walk(
    where,
    starts.filter((start) => !isOfModel(start)),
    cut && {...cut, from},
    model.softmaxes,
  );
  const inner = ends.flatMap((tensor, i) => {
    const gradient = behind.found[i];
    return gradient ? [{...gradient, tensor}] : [];
  });
  const walked = model.walk(where, [...inner, ...starts.filter(isOfModel)], cut);
  if (behind.blockedAt < 0) return walked;
  return {...walked, blockedAt: model.length + behind.blockedAt, blocker: behind.blocker};
}
