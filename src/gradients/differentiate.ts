/**
 * @file A forward pass in two stages, the model and its loss, and the backward pass through both.
 */

import {
  add,
  mul,
  type NamedTensorMap,
  type Scalar,
  sum,
  type Tensor,
  type Tensor1D,
  type TensorContainer,
  Variable,
} from '@tensorflow/tfjs-core';
import {canRecord, differentiateByTfjs, offTape, record, type Tape, type TapedOp} from '../engine';
import {shareRelus} from './ownGradients';
import {type RowCut, rowCut} from './places';
import {mixingOp} from './rowwise';
import {
  dependents,
  type Gradient,
  readersIn,
  type Start,
  softmaxesIn,
  type WalkCut,
  type Walked,
  walkBack,
} from './walk';
import {withoutZeroRows} from './zeroRows';

/** A part of a forward pass, run on a tape. */
export interface Stage {
  compute(): {
    outputs: Tensor[];
    /** Number of ops that lead to the outputs of the backward pass. */
    ops: number;
  };
  /** The input tensors of the stage. */
  given: readonly Tensor[];
  /** The tensors to differentiate by. */
  targets: readonly Tensor[];
}

/** A walk back through a stage, and how far it was cut. */
export interface StageWalk extends Pick<Walked, 'multiplications' | 'blockedAt'> {
  /** The gradient of each target; undefined if it has none. */
  found: (Gradient | undefined)[];
  /** The name of the op from which the walk continued with all rows. */
  blocker: string | undefined;
  /** Whether recorded kernels of an earlier step ran. */
  isReplayed?: boolean | undefined;
}

/** A stage that ran. */
export interface StagePass {
  outputs: Tensor[];
  /** Number of ops that lead to the outputs of the backward pass. */
  ops: number;
  /** Number of ops that ran. */
  length: number;
  /** Returns the name of an op. */
  nameOf(op: number): string | undefined;
  /** Absent for a replayed stage. */
  tape?: Tape;
  /**
   * Ids of the outputs that are a softmax and that the stage itself does not read; absent with a
   * tape.
   */
  softmaxes?: readonly number[];
  /**
   * Walks back to the targets.
   *
   * @param softmaxes  ids of softmax tensors that only this stage reads.
   */
  walk(where: string, starts: readonly Start[], cut: WalkCut | undefined, softmaxes?: readonly number[]): StageWalk;
  dispose(): void;
}

/** Runs a stage on a tape. */
export function tapedStage({compute, targets}: Stage): StagePass & {tape: Tape} {
  const {result, tape} = record(compute);
  const {ops} = tape;
  shareRelus(ops);
  const walk: StagePass['walk'] = (where, starts, cut, softmaxes) =>
    walkOps(where, ops, starts, targets, cut, readOnce(ops, softmaxes));
  const nameOf = (op: number) => ops[op]?.name;
  return {...result, length: ops.length, nameOf, tape, walk, dispose: tape.dispose};
}

/** Selects the tensors, by id, that the ops read exactly once. */
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

/** The stages to walk back through, and the starts. */
interface Way {
  where: string;
  model: StagePass;
  loss: StagePass;
  starts: readonly Start[];
  variables: readonly Variable[];
  cut: WalkCut | undefined;
}

/** The walks back through both stages. */
interface BothWalks extends StageWalk {
  /** The share of all multiplications that was saved, from 0 to 1. */
  saved: number;
  /** Number of rows in the walk through the model, if it left out rows with zero gradients. */
  taken?: number | undefined;
}

/**
 * Walks back through the loss and on through the model.
 *
 * With tapes this is a single walk, so the loss may have used any tensor of the model. The layers
 * of a replayed model expose only their outputs. Between the stages, rows with zero gradients may
 * be left out.
 *
 * @param leaveOut  the batch size, if rows with zero gradients may be left out; 0 leaves out none,
 *   and reads nothing.
 */
function walkStages(way: Way, leaveOut = 0): {walked: BothWalks; gradients: NamedTensorMap} {
  const {model, loss, variables} = way;
  const isOnTapes = model.tape !== undefined && loss.tape !== undefined;
  const walked = isOnTapes && leaveOut === 0 ? walkTogether(way) : walkApart(way, stagesOf(way), leaveOut);
  const named: [string, Tensor][] = [];
  for (let i = 0; i < variables.length; i++) {
    const gradient = walked.found[i];
    if (gradient) named.push([(variables[i] as Variable).name, gradient.value]);
  }
  return {walked, gradients: Object.fromEntries(named)};
}

/** Computes the share of multiplications that several walks saved. */
function savedShare(...walks: [Pick<StageWalk, 'multiplications'>, RowCut | undefined][]): number {
  let [saved, all] = [0, 0];
  for (const [{multiplications}, cut] of walks) {
    all += multiplications.all;
    if (cut) saved += multiplications.cut * (1 - cut.kept / cut.batchSize);
  }
  return saved / Math.max(all, 1);
}

function walkTogether({where, model, loss, starts, variables, cut}: Way): BothWalks {
  const ops = opsOf([model, loss]);
  const walked = walkOps(where, ops, starts, variables, cut, softmaxesReadOnce(ops));
  return {...walked, saved: savedShare([walked, cut])};
}

const opsOf = (passes: readonly StagePass[]): TapedOp[] => passes.flatMap(({tape}) => tape?.ops ?? []);

function softmaxesReadOnce(ops: readonly TapedOp[]): ReadonlySet<number> | undefined {
  return ops.some(({ofSoftmax}) => ofSoftmax) ? new Set(softmaxesIn(ops, 1)) : undefined;
}

/** The separate walks through the two stages. */
interface StageWalks {
  /** The tensors that the model passes to the loss. */
  seam: readonly Tensor[];
  isOfModel(tensor: Tensor): boolean;
  loss(starts: Start[], cut: WalkCut | undefined): StageWalk;
  model(starts: Start[], cut: WalkCut | undefined): StageWalk;
}

function stagesOf({where, model, loss, variables}: Way): StageWalks {
  if (!model.tape || !loss.tape) {
    return {
      seam: [...model.outputs, ...variables],
      isOfModel: (tensor) => model.outputs.includes(tensor),
      loss: (starts, cut) => loss.walk(where, starts, cut, model.softmaxes),
      model: (starts, cut) => model.walk(where, starts, cut),
    };
  }
  const [ofModel, ofLoss] = [model.tape.ops, loss.tape.ops];
  const softmaxes = softmaxesReadOnce(opsOf([model, loss]));
  const made = new Set(ofLoss.flatMap(({outputs}) => outputs.map(({id}) => id)));
  const leading = dependents(ofModel, variables);
  const read = ofLoss.flatMap(({inputs}) => Object.values(inputs)).filter(({id}) => leading.has(id) && !made.has(id));
  const seam = [...new Map(read.map((tensor) => [tensor.id, tensor])).values()];
  return {
    seam,
    isOfModel: ({id}) => !made.has(id),
    loss: (starts, cut) => walkOps(where, ofLoss, starts, seam, cut, softmaxes),
    model: (starts, cut) => walkOps(where, ofModel, starts, variables, cut, softmaxes),
  };
}

function walkApart({model, loss, starts, cut}: Way, walks: StageWalks, leaveOut: number): BothWalks {
  const isOfModel = ({tensor}: Start) => walks.isOfModel(tensor);
  const from = Math.max((cut?.from ?? 0) - model.length, 0);
  const behind = walks.loss(
    starts.filter((start) => !isOfModel(start)),
    cut && cut.from !== from ? {...cut, from} : cut,
  );
  const all: Start[] = [];
  for (let i = 0; i < walks.seam.length; i++) {
    const gradient = behind.found[i];
    if (!gradient) continue;
    const start: Start = {...gradient, tensor: walks.seam[i] as Tensor};
    if (start.wholeFrom !== undefined) start.wholeFrom += model.length;
    all.push(start);
  }
  all.push(...starts.filter(isOfModel));
  const shorter = leaveOut > 0 ? withoutZeroRows(all, model.outputs, leaveOut, cut) : undefined;
  try {
    const cutOfModel = shorter?.cut ?? cut;
    const walked = walks.model(shorter?.starts ?? all, cutOfModel);
    const saved = savedShare([walked, cutOfModel], [behind, cut]);
    const {multiplications, blockedAt, blocker} = joined(walked, behind, {model, loss}, !shorter);
    const {found, isReplayed} = walked;
    return {found, isReplayed, multiplications, blockedAt, blocker, saved, taken: shorter?.cut.kept};
  } finally {
    shorter?.cut.dispose();
  }
}

/**
 * Joins the results of two walks. If the second has its own cut, the blocker of the first does not
 * count.
 */
function joined(
  walked: StageWalk,
  behind: StageWalk,
  {model, loss}: Pick<Way, 'model' | 'loss'>,
  isOneCut: boolean,
): Pick<StageWalk, 'multiplications' | 'blockedAt' | 'blocker'> {
  const [of, ofLoss] = [walked.multiplications, behind.multiplications];
  const multiplications = {all: of.all + ofLoss.all, cut: of.cut + ofLoss.cut};
  // The first uncut product, counted from the losses; without any product, the first op that
  // refused a cut.
  const isOfLoss = isOneCut && behind.blockedAt >= 0 && (ofLoss.all > 0 || of.all === 0);
  const blockedAt = isOfLoss ? model.length + behind.blockedAt : walked.blockedAt;
  const blocker = blockedAt < model.length ? walked.blocker : loss.nameOf(blockedAt - model.length);
  return {multiplications, blockedAt, blocker};
}

/** What to differentiate, once the losses are known. */
interface Objective<T extends TensorContainer> {
  /** Any other results of the forward pass. */
  seen: T;
  /** Outputs of the two stages with their gradients, which the backward pass disposes. */
  starts: Start[];
  /** The rows to which starts with a place are cut. Ops before `from` run with all rows. */
  cut?: {rows: Tensor1D; batchSize: number; from: number} | undefined;
  /**
   * The batch size, if rows whose gradients with respect to the model's outputs are 0 may be left
   * out.
   */
  leaveOut?: number | undefined;
  /**
   * Tensors from whose rows everything must be computed row by row; `mixing` reports whether it
   * was.
   */
  rowwise?: {tensors: Tensor[]; batchSize: number};
}

/** A forward pass in two stages, with its objective. */
export interface ForwardPass<T extends TensorContainer> {
  model: Stage;
  loss(model: Pick<StagePass, 'outputs' | 'ops'>): Stage;
  /** Runs off the tapes. */
  objective(model: Pick<StagePass, 'outputs' | 'ops'>, losses: Tensor[]): Objective<T>;
}

/** Runners for the stages of a forward pass. */
export interface Stages {
  model(stage: Stage): StagePass;
  loss(stage: Stage, model: StagePass): StagePass;
}

export interface Differentiated<T> {
  seen: T;
  gradients: NamedTensorMap;
  /**
   * How far the backward pass was cut; undefined if tfjs differentiated, because its tape cannot be
   * recorded.
   */
  walked: BothWalks | undefined;
  /** The first op not proved to be row-wise; undefined if all are, or if no proof was requested. */
  mixing: string | undefined;
}

const ON_TAPES: Stages = {model: tapedStage, loss: tapedStage};

/**
 * Runs a forward pass, and differentiates its objective by variables. Runs within a `tidy`.
 *
 * @param where  the function name that errors show.
 * @param stages  runs the stages; default: on tapes.
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
    const {seen, starts, cut, rowwise, leaveOut} = forward.objective(model, loss.outputs);
    rows = cut && rowCut(cut.rows, cut.batchSize);
    const walkCut = rows && Object.assign(rows, {from: cut?.from ?? 0});
    const mixing = rowwise && mixingOp(tapeOf(ran), rowwise.tensors, rowwise.batchSize);
    const way = {where, model, loss, starts, variables, cut: walkCut};
    return {seen, ...walkStages(way, leaveOut), mixing};
  } finally {
    rows?.dispose();
    for (const pass of ran) pass.dispose();
  }
}

/** Joins the tapes of the stages. */
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
