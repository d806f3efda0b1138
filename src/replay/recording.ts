/** @file A recorded stage of a step, replayed forward and backward without a tape. */

import {getGradient, type Tensor, type Variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {capture, type HostTensor, type TapedOp, tensorOf} from '../engine';
import {readOnce, type Stage, type StagePass, type StageWalk, tapedStage, walkOps} from '../gradients/differentiate';
import {rowCut} from '../gradients/places';
import {type Gradient, type Start, softmaxesIn, type WalkCut} from '../gradients/walk';
import {aroundCalls} from '../models/model';
import {compile, type Data, NotReplayable, type Place, type Program, type Ran} from './program';
import {drawOf} from './pureModel';
import {type Remembered, remembered} from './remembered';

type Part = LayersModel['layers'][number];

/** The taped ops of a stage, and the program that replays them. */
export interface Recording {
  program: Program;
  ops: readonly TapedOp[];
  /** Number of ops that lead to the outputs of the backward pass. */
  count: number;
  /** The tensors of the tape, whose data is disposed. */
  tensors: {outputs: Tensor[]; targets: readonly Tensor[]};
  outputs: Place[];
  /** Which outputs are a softmax that no op reads. */
  softmaxes: boolean[];
  /** The saved tensors of each op. */
  saved: Place[][];
  /** Values assigned to weights, such as batch-norm statistics. */
  assigned: {variable: Variable; place: Place}[];
  ways: Remembered<WayBack | 'not replayable'>;
  /** The gradients registered for the ops at the time of the recording. */
  gradients: readonly (readonly [string, unknown])[];
  dispose(): void;
}

/** A recording, or the state of a stage without one. */
export type Known = Recording | 'seen' | 'not replayable';

/** A recorded walk back through a stage, from certain outputs, for certain rows and places. */
interface WayBack {
  program: Program;
  gradients: ({place: Place; gradient: Omit<Gradient, 'value'>} | undefined)[];
  walk: Omit<StageWalk, 'found'>;
  dispose(): void;
}

/** Whether the same data is given twice, so that a recording could not tell which one is read. */
export const hasTwins = (given: readonly object[]): boolean => new Set(given).size < given.length;

/** Whether the recorded kernels and gradients are still registered. */
export function isCurrent({program, ways, gradients}: Recording): boolean {
  if (!gradients.every(([name, gradient]) => getGradient(name) === gradient)) return false;
  return program.isCurrent() && [...ways.values()].every((way) => typeof way === 'string' || way.program.isCurrent());
}

/** Runs a stage on a tape, and records it for later steps. */
export function recordStage(
  stage: Stage,
  {weights, parts}: {weights: readonly Variable[]; parts: readonly Part[]},
  known: Remembered<Known>,
  key: string,
): StagePass {
  const before = weights.map(({dataId}) => dataId);
  // Read the ids now: the stage may assign other data to its weights.
  const given = idsOf(stage.given);
  const calls = watchedCalls(parts);
  const {result: pass, events, hasRead} = capture(() => calls.during(() => tapedStage(stage)), calls.running);
  const {tape, outputs, ops: count} = pass;
  const {ops, isChecked} = tape;
  const assigned = weights.filter(({dataId}, i) => dataId !== before[i]);
  // tfjs passes null for an output that already exists.
  const isWhole = outputs.every((output) => output as Tensor | null);
  const kept = [...outputs, ...assigned, ...ops.flatMap(({saved}) => saved)];
  const drawFor = ({tensor, drawnBy}: HostTensor) => (drawnBy ? drawOf(drawnBy as Part, tensor.shape) : undefined);
  // Results that depend on values that were read may differ next time, and checked values must be
  // checked again.
  const isOpen = hasRead || isChecked || !isWhole;
  const program = isOpen ? undefined : compiled(() => compile(events, {given}, idsOf(kept), drawFor));
  if (!program) {
    known.set(key, 'not replayable');
    return pass;
  }
  const placeOf = placesIn(program);
  const ways = remembered<WayBack | 'not replayable'>();
  known.set(key, {
    ...{program, ops, count, ways},
    tensors: {outputs, targets: stage.targets},
    outputs: outputs.map(placeOf),
    softmaxes: unreadSoftmaxes(ops, outputs),
    saved: ops.map(({saved}) => saved.map(placeOf)),
    assigned: assigned.map((variable) => ({variable, place: placeOf(variable)})),
    gradients: [...new Set(ops.map(({name}) => name))].map((name) => [name, getGradient(name)] as const),
    dispose() {
      program.dispose();
      ways.clear();
    },
  });
  return pass;
}

/** Finds outputs that are a distinct softmax that no op reads. */
function unreadSoftmaxes(ops: readonly TapedOp[], outputs: readonly Tensor[]): boolean[] {
  const unread = softmaxesIn(ops, 0);
  return outputs.map((output) => unread.includes(output.id) && outputs.indexOf(output) === outputs.lastIndexOf(output));
}

/** Compiles a program; undefined if the kernels cannot be replayed. */
function compiled(compileIt: () => Program): Program | undefined {
  try {
    return compileIt();
  } catch (error) {
    if (error instanceof NotReplayable) return undefined;
    throw error;
  }
}

export const idsOf = (tensors: readonly Tensor[]): object[] => tensors.map(({dataId}) => dataId);

const placesIn =
  (program: Program) =>
  ({dataId, shape, dtype}: Tensor): Place => ({number: program.numberOf(dataId), shape, dtype});

/** Tracks the layer that is running. */
function watchedCalls(parts: readonly Part[]) {
  const atWork: Part[] = [];
  const noted = (part: Part, call: () => Tensor | Tensor[]) => {
    atWork.push(part);
    try {
      return call();
    } finally {
      atWork.pop();
    }
  };
  return {
    running: (): Part | undefined => atWork.at(-1),
    during: <T>(f: () => T): T => aroundCalls(parts, noted, f),
  };
}

/** Replays the kernels of a recorded stage on other data. */
export function replayStage(recording: Recording, {given, targets}: Stage): StagePass {
  const {program, ops, assigned, count} = recording;
  const read = idsOf(given);
  const ran = program.run(read);
  const outputs = recording.outputs.map(ran.tensorAt);
  for (const {variable, place} of assigned) {
    const value = ran.tensorAt(place);
    variable.assign(value);
    value.dispose();
  }
  return {
    outputs,
    ops: count,
    length: ops.length,
    nameOf: (op) => ops[op]?.name,
    softmaxes: idsWhere(outputs, (i) => recording.softmaxes[i] === true),
    walk(where, starts, cut, softmaxes = []) {
      const ofSoftmax = targets.map(({id}) => softmaxes.includes(id));
      const ends = starts.map(({tensor}) => placeIn(outputs, targets, tensor));
      const key = keyOfWay(starts, ends, ofSoftmax, cut);
      const values = idsOf(starts.map(({value}) => value));
      if (cut) values.push(cut.rows.dataId);
      const way = recording.ways.get(key);
      if (typeof way === 'object') return walkAgain(way, values, ran.data);
      const recorded = [...recording.tensors.outputs, ...recording.tensors.targets];
      const inTape = starts.map((start, i) => ({...start, tensor: recorded[ends[i] as number] as Tensor}));
      const once = readOnce(
        ops,
        idsWhere(recording.tensors.targets, (i) => ofSoftmax[i] === true),
      );
      const isWorth = way === undefined && !hasTwins(read) && recording.ways.isWorth(key);
      return recordWay(
        recording,
        ran,
        {where, starts: inTape, cut, values, softmaxes: once},
        isWorth ? key : undefined,
      );
    },
    dispose: ran.release,
  };
}

const idsWhere = (tensors: readonly Tensor[], isMeant: (place: number) => boolean): number[] =>
  tensors.filter((_, i) => isMeant(i)).map(({id}) => id);

/** Finds the place of a tensor in the outputs of a stage, followed by its targets; −1 if absent. */
function placeIn(outputs: readonly Tensor[], targets: readonly Tensor[], tensor: Tensor): number {
  const place = outputs.indexOf(tensor);
  if (place >= 0) return place;
  const target = targets.indexOf(tensor);
  return target < 0 ? target : outputs.length + target;
}

/** Builds the key of a walk: all that its kernels depend on, beside the values of the starts. */
function keyOfWay(
  starts: readonly Start[],
  ends: readonly number[],
  ofSoftmax: readonly boolean[],
  cut: WalkCut | undefined,
): string {
  let key = cut ? `${cut.kept},${cut.batchSize},${cut.from}` : 'all';
  for (let i = 0; i < ofSoftmax.length; i++) if (ofSoftmax[i]) key += `|softmax ${i}`;
  for (let i = 0; i < starts.length; i++) {
    const {place, isOfLogits} = starts[i] as Start;
    key += `|${ends[i]},${place?.outer},${place?.inner},${isOfLogits === true}`;
  }
  return key;
}

function walkAgain({program, gradients, walk}: WayBack, given: object[], known: Data): StageWalk {
  const {tensorAt, release} = program.run(given, known);
  const found = gradients.map((one) => one && {...one.gradient, value: tensorAt(one.place)});
  release();
  const {multiplications, blockedAt, blocker, isReplayed} = walk;
  return {found, multiplications, blockedAt, blocker, isReplayed};
}

/** A walk in terms of the recorded tape. */
interface InTape {
  where: string;
  starts: Start[];
  cut: WalkCut | undefined;
  /** The input data of the walk's program. */
  values: object[];
  softmaxes: ReadonlySet<number>;
}

/** Walks back op by op, and records the walk for later steps if it has a key. */
function recordWay(
  {ops, saved, tensors, ways}: Recording,
  {data, tensorAt}: Ran,
  {where, starts, cut, values, softmaxes}: InTape,
  key: string | undefined,
): StageWalk {
  const known = [...data];
  const shown = new Set<number>();
  // The `tidy` of the step disposes these: otherwise the engine would lose count of data released
  // before the recording.
  const tensorFor = ({number, shape, dtype}: Place): Tensor => {
    if (shown.has(number)) return tensorOf({dataId: known[number] as object, shape, dtype});
    const made = tensorAt({number, shape, dtype});
    shown.add(number);
    known[number] = made.dataId;
    return made;
  };
  const filled = ops.map((op, i) => ({...op, saved: (saved[i] as Place[]).map(tensorFor)}));
  const walked = () => {
    const rows = cut && rowCut(cut.rows, cut.batchSize);
    try {
      return walkOps(where, filled, starts, tensors.targets, rows && {...rows, from: cut?.from ?? 0}, softmaxes);
    } finally {
      rows?.dispose();
    }
  };
  if (key === undefined) return walked();
  const {result, events, hasRead} = capture(walked);
  const {found, ...walk} = result;
  const wanted = found.flatMap((gradient) => gradient?.value ?? []);
  const program = hasRead ? undefined : compiled(() => compile(events, {given: values, known}, idsOf(wanted)));
  if (!program) ways.set(key, 'not replayable');
  else {
    const placeOf = placesIn(program);
    const gradients = found.map((gradient) => {
      if (!gradient) return undefined;
      const {value, ...others} = gradient;
      return {place: placeOf(value), gradient: others};
    });
    ways.set(key, {program, gradients, walk: {...walk, isReplayed: true}, dispose: program.dispose});
  }
  return result;
}
