import {getGradient, type NamedTensorMap, type Scalar, type Tensor, type Variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {canReplay, capture, type HostTensor, type TapedOp, tensorOf} from '../engine';
import {type ModelPass, type ModelRun, type PassWalk, tapedPass} from '../gradients/differentiate';
import {rowCut} from '../gradients/places';
import {type Gradient, type WalkCut, walkBack} from '../gradients/walk';
import {partsOf} from '../models/model';
import {compile, NotReplayable, type Place, type Program} from './program';
import {drawOf, fieldsOf, isPure} from './pureModel';

/** How many batch shapes, and ways back for each, are remembered. */
const REMEMBERED = 4;

/** What a model did on one tape, and the program that does it again. */
interface Recording {
  program: Program;
  run: ModelRun;
  ops: readonly TapedOp[];
  outputs: Place[];
  penalties: Place[];
  /** The saved tensors of each op. */
  saved: Place[][];
  /** What the model assigned to variables of its own, such as statistics of batch normalisation. */
  assigned: {variable: Variable; place: Place}[];
  ways: Map<string, WayBack>;
  /** The gradients of tfjs by the names of ops, when it was recorded. */
  gradients: readonly (readonly [string, unknown])[];
}

/** How to walk back through a model, for so many rows at certain places. */
interface WayBack {
  program: Program;
  gradients: {name: string; place: Place}[];
  walk: PassWalk;
}

type Part = LayersModel['layers'][number];

export type ModelPasses = ReturnType<typeof modelPasses>;

/**
 * Runs a model forward and back in each step: on a tape, or, for a model that computes the same in each step, by
 * the kernels that an earlier step ran.
 *
 * The first step with a batch of some shape runs on a tape, the second is recorded, and those behind it are
 * replayed. If the model, its weights to train or the backend's kernels change, it begins again.
 */
export function modelPasses(model: LayersModel) {
  let fields: unknown[] = [];
  let isTheSame = false;
  const seen = new Map<string, Recording | 'seen' | 'not replayable'>();
  const forget = () => {
    for (const recording of seen.values()) disposeRecording(recording);
    seen.clear();
  };
  const lookAtModel = () => {
    const now = fieldsOf(model);
    if (now.length === fields.length && now.every((field, i) => Object.is(field, fields[i]))) return;
    forget();
    fields = now;
    isTheSame = isPure(model);
  };
  const pass = (run: () => ModelRun, xs: Tensor[]): ModelPass => {
    if (!canReplay()) return tapedPass(run);
    lookAtModel();
    if (!isTheSame) return tapedPass(run);
    const key = xs.map(({shape, dtype}) => `${dtype}[${shape}]`).join();
    let known = seen.get(key);
    if (typeof known === 'object' && !isCurrent(known)) {
      disposeRecording(known);
      known = undefined;
    }
    const given = [...xs, ...model.weights.map((weight) => weight.read() as Variable)].map(({dataId}) => dataId);
    if (new Set(given).size < given.length || known === 'not replayable') return tapedPass(run);
    if (typeof known === 'object') return replayedPass(known, given);
    if (known === 'seen') return recordedPass(model, run, given, (recording) => remember(seen, key, recording));
    remember(seen, key, 'seen');
    return tapedPass(run);
  };
  return {pass, dispose: forget};
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  // Maps are in the order of their entries: the first is the oldest.
  for (const oldest of map.keys()) {
    if (map.size <= REMEMBERED) break;
    disposeRecording(map.get(oldest));
    map.delete(oldest);
  }
}

function disposeRecording(recording: unknown): void {
  const {program, ways} = (recording ?? {}) as Partial<Recording>;
  program?.dispose();
  for (const way of ways?.values() ?? []) way.program.dispose();
}

function isCurrent({program, ways, gradients}: Recording): boolean {
  if (!gradients.every(([name, gradient]) => getGradient(name) === gradient)) return false;
  return program.isCurrent() && [...ways.values()].every((way) => way.program.isCurrent());
}

/** Runs a model on a tape, and records it for the steps to come. */
function recordedPass(
  model: LayersModel,
  run: () => ModelRun,
  given: object[],
  done: (recording: Recording | 'not replayable') => void,
): ModelPass {
  const weights = model.weights.map((weight) => weight.read() as Variable);
  const before = weights.map(({dataId}) => dataId);
  const calls = watchedCalls(partsOf(model));
  const {result: pass, events} = capture(() => calls.during(() => tapedPass(run)), calls.running);
  const assigned = weights.filter(({dataId}, i) => dataId !== before[i]);
  const {ops, reads} = pass.tape;
  const {outputs, penalties} = pass.run;
  const kept = [...outputs, ...penalties, ...assigned, ...ops.flatMap(({saved}) => saved)];
  const drawFor = ({tensor, drawnBy}: HostTensor) => (drawnBy ? drawOf(drawnBy as Part, tensor.shape) : undefined);
  const program = compiled(() => compile(events, {given}, idsOf(kept), drawFor));
  // What is made of numbers that were read is not in the list.
  if (!program || reads.size > 0) {
    program?.dispose();
    done('not replayable');
    return pass;
  }
  const placeOf = placesIn(program);
  done({
    ...{program, ops, run: pass.run, ways: new Map()},
    outputs: outputs.map(placeOf),
    penalties: penalties.map(placeOf),
    saved: ops.map(({saved}) => saved.map(placeOf)),
    assigned: assigned.map((variable) => ({variable, place: placeOf(variable)})),
    gradients: [...new Set(ops.map(({name}) => name))].map((name) => [name, getGradient(name)] as const),
  });
  return pass;
}

/** Compiles a program; undefined if the kernels cannot be run again. */
function compiled(compileIt: () => Program): Program | undefined {
  try {
    return compileIt();
  } catch (error) {
    if (error instanceof NotReplayable) return undefined;
    throw error;
  }
}

const idsOf = (tensors: readonly Tensor[]): object[] => tensors.map(({dataId}) => dataId);

const placesIn =
  (program: Program) =>
  ({dataId, shape, dtype}: Tensor): Place => ({number: program.numberOf(dataId), shape, dtype});

/** Knows which layer is at work. */
function watchedCalls(parts: readonly Part[]) {
  const atWork: Part[] = [];
  return {
    running: (): Part | undefined => atWork.at(-1),
    during<T>(f: () => T): T {
      for (const part of parts) {
        const {call} = part;
        part.call = function (this: Part, ...given) {
          atWork.push(part);
          try {
            return call.apply(this, given);
          } finally {
            atWork.pop();
          }
        };
      }
      try {
        return f();
      } finally {
        for (const part of parts) delete (part as {call?: unknown}).call;
      }
    },
  };
}

/** Runs the kernels of a recording on other data. */
function replayedPass(recording: Recording, given: object[]): ModelPass {
  const {program, ops, assigned} = recording;
  const ran = program.run(given);
  const {tensorAt} = ran;
  const run = {
    outputs: recording.outputs.map(tensorAt),
    penalties: recording.penalties.map(tensorAt) as Scalar[],
    ops: recording.run.ops,
  };
  for (const {variable, place} of assigned) {
    const value = tensorAt(place);
    variable.assign(value);
    value.dispose();
  }
  return {
    run,
    back(where, behind, starts, variables, cut) {
      const ends = [...run.outputs, ...run.penalties, ...variables];
      const from = (cut?.from ?? 0) - ops.length;
      const loss = walkBack(where, behind.ops, starts, ends, cut && {...cut, from: Math.max(from, 0)});
      const recorded = [...recording.run.outputs, ...recording.run.penalties, ...variables];
      const inner = ends.flatMap(({id}, i) => {
        const gradient = loss.found.get(id);
        return gradient ? [{...gradient, tensor: recorded[i] as Tensor}] : [];
      });
      const {gradients, walk} = backThrough(recording, ran, {where, starts: inner, variables, cut});
      const {blockedAt} = loss;
      if (blockedAt < 0) return {gradients, ...walk};
      return {gradients, ...walk, blockedAt: ops.length + blockedAt, blocker: behind.ops[blockedAt]?.name};
    },
    mixing: () => 'a recording',
    dispose: ran.release,
  };
}

type Ran = ReturnType<Program['run']>;

interface InnerWalk {
  where: string;
  starts: (Gradient & {tensor: Tensor})[];
  variables: readonly Variable[];
  cut: WalkCut | undefined;
}

/** Walks back through a recorded model: by the kernels of an earlier step, if one went the same way. */
function backThrough(recording: Recording, ran: Ran, walk: InnerWalk): {gradients: NamedTensorMap; walk: PassWalk} {
  const {starts, cut} = walk;
  const {ways} = recording;
  const {run} = recording;
  const tensors = [...run.outputs, ...run.penalties];
  const begin = starts.map(({tensor, place}) => [tensors.indexOf(tensor), tensor.id, place?.outer, place?.inner]);
  const key = [cut ? [cut.kept, cut.batchSize, cut.from] : 'all', ...begin].join('|');
  const given = [...idsOf(starts.map(({value}) => value)), ...(cut ? [cut.rows.dataId] : [])];
  const way = ways.get(key);
  if (!way) return recordWay(recording, ran, walk, given, (found) => remember(ways, key, found));
  const {tensorAt, release} = way.program.run([...given, ...ran.data]);
  const gradients = way.gradients.map(({name, place}) => [name, tensorAt(place)] as const);
  release();
  return {gradients: Object.fromEntries(gradients), walk: way.walk};
}

/** Walks back op by op, and records it for the steps to come. */
function recordWay(
  {ops, saved}: Recording,
  {data, tensorAt}: Ran,
  {where, starts, variables, cut}: InnerWalk,
  given: object[],
  done: (way: WayBack) => void,
): {gradients: NamedTensorMap; walk: PassWalk} {
  const known = [...data];
  const shown = new Set<number>();
  // Left to the `tidy` of the step: the engine loses count of data that it lets go of before the recording does.
  const tensorFor = ({number, shape, dtype}: Place): Tensor => {
    if (shown.has(number)) return tensorOf({dataId: known[number] as object, shape, dtype});
    const made = tensorAt({number, shape, dtype});
    shown.add(number);
    known[number] = made.dataId;
    return made;
  };
  const filled = ops.map((op, i) => ({...op, saved: (saved[i] as Place[]).map(tensorFor)}));
  const {result, events} = capture(() => {
    const rows = cut && rowCut(cut.rows, cut.batchSize);
    try {
      return walkBack(where, filled, starts, variables, rows && {...rows, from: cut?.from ?? 0});
    } finally {
      rows?.dispose();
    }
  });
  const {gradients, multiplications, blockedAt} = result;
  const named = Object.entries(gradients);
  const program = compiled(() => compile(events, {given, known}, idsOf(named.map(([, tensor]) => tensor))));
  const walk = {multiplications, blockedAt, blocker: ops[blockedAt]?.name};
  if (program) {
    const placeOf = placesIn(program);
    const places = named.map(([name, tensor]) => ({name, place: placeOf(tensor)}));
    done({program, gradients: places, walk: {...walk, isReplayed: true}});
  }
  return {gradients, walk};
}
