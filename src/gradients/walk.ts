import {add, dispose, type NamedTensorMap, reshape, Tensor, tidy, Variable, zeros} from '@tensorflow/tfjs-core';
import {shapeText, typeError} from '../checks';
import type {TapedOp} from '../engine';
import {ownGradients} from './ownGradients';
import {cutShape, isSamePlace, isSameShape, type Place, type RowCut} from './places';
import {cutOp, multiplications, type OpCut, stockGradient} from './rules';

/** The gradient of a tensor; with a place, only of the kept rows there, and 0 in all others. */
export interface Gradient {
  value: Tensor;
  place?: Place | undefined;
  /** Without a place: the op from which the walk continued with all rows. */
  wholeFrom?: number;
  /** Whether it is the gradient with respect to the logits of this softmax tensor. */
  isOfLogits?: boolean;
}

/** A tensor where the walk starts, with its gradient. */
export interface Start extends Gradient {
  tensor: Tensor;
}

/** How far the walk may be cut to the kept rows. */
export interface WalkCut extends RowCut {
  /** Ops before this one run with all rows, even if they could be cut. Default 0: none. */
  from?: number;
}

/**
 * Counts the reads of each tensor, by id. Copies that tfjs made to save a tensor, and that no op
 * reads, do not count.
 */
export function readersIn(ops: readonly TapedOp[]): Map<number, number> {
  const readers = new Map<number, number>();
  for (let i = ops.length - 1; i >= 0; i--) {
    const {kind, inputs, outputs} = ops[i] as TapedOp;
    if (kind === 'copy' && !readers.has((outputs[0] as Tensor).id)) continue;
    for (const name in inputs) {
      const {id} = inputs[name] as Tensor;
      readers.set(id, (readers.get(id) ?? 0) + 1);
    }
  }
  return readers;
}

/** Finds the softmaxes over the last axis that exactly `reads` of the ops read, by output id. */
export function softmaxesIn(ops: readonly TapedOp[], reads: number): number[] {
  const readers = readersIn(ops);
  return ops.flatMap(({kind, name, outputs: [output], attrs}) => {
    const {id, rank} = output as Tensor;
    const isSoftmax = kind === 'kernel' && name === 'Softmax' && attrs?.dim === rank - 1 && stockGradient(name);
    return isSoftmax && (readers.get(id) ?? 0) === reads ? id : [];
  });
}

export interface Walked {
  gradients: NamedTensorMap;
  /** The gradients of all requested tensors, by id, as found. */
  found: ReadonlyMap<number, Gradient>;
  /** Multiplications of all products, and of those that ran with only the kept rows. */
  multiplications: {all: number; cut: number};
  /**
   * The op, counted from the losses, from which a product had to run with all rows; −1 for none.
   */
  blockedAt: number;
}

/**
 * Walks a tape back to variables or other tensors, and computes only gradients that lead there.
 *
 * The rule of each op decides whether the gradient of the kept rows stays in the kept rows. If not,
 * their gradients are scattered into zeros, and the walk continues with all rows. Runs within a
 * `tidy`.
 *
 * @param where  the function name that errors show.
 * @param softmaxes  ids of softmax tensors that are read once.
 */
export function walkBack(
  where: string,
  ops: readonly TapedOp[],
  starts: readonly Start[],
  targets: readonly Tensor[],
  cut?: WalkCut,
  softmaxes?: ReadonlySet<number>,
): Walked {
  const needed = dependents(ops, targets);
  const gradients = new Map<number, Gradient>();
  const work = {all: 0, cut: 0};
  let [blockedAt, refusedAt] = [-1, -1];
  const collect = (tensor: Tensor, next: Gradient, op: number) => {
    const before = gradients.get(tensor.id);
    gradients.set(tensor.id, before ? sumOf(before, next, tensor, op, cut) : next);
  };
  for (const {tensor, ...gradient} of starts) collect(tensor, gradient, ops.length - 1);
  const held = heldRows(ops, cut);
  for (let i = ops.length - 1; i >= 0; i--) {
    const op = ops[i] as TapedOp;
    if (!op.outputs.some(({id}) => gradients.has(id))) continue;
    const wanted = Object.keys(op.inputs).filter((name) => needed.has((op.inputs[name] as Tensor).id));
    if (wanted.length === 0) continue;
    const dys = op.outputs.map(({id}) => gradients.get(id));
    if (dys[0]?.isOfLogits) {
      collect(op.inputs.logits as Tensor, {...dys[0], isOfLogits: false}, i);
      continue;
    }
    const opCut = cut && i >= (cut.from ?? 0) ? cutOf(op, dys, wanted, cut) : undefined;
    const wholeFrom = wholeSince(dys, i);
    const found = differentiate({where, op, dys, wanted, opCut, cut, softmaxes}, held);
    for (const name of wanted) collect(op.inputs[name] as Tensor, {...found[name], wholeFrom} as Gradient, i);
    for (const dy of dys) dy?.value.dispose();
    held.release(i);
    const products = multiplications(op, wanted);
    work.all += products;
    if (opCut) work.cut += products;
    else if (products > 0 && blockedAt < 0) blockedAt = wholeFrom;
    if (!opCut && refusedAt < 0 && dys.some((dy) => dy?.place)) refusedAt = i;
  }
  const named = targets.flatMap((target) => {
    const gradient = target instanceof Variable ? gradients.get(target.id) : undefined;
    return gradient ? [[(target as Variable).name, whole(gradient, target, cut)] as const] : [];
  });
  if (work.all === 0) blockedAt = refusedAt;
  return {gradients: Object.fromEntries(named), found: gradients, multiplications: work, blockedAt};
}

/** Returns the op from which all rows are used, if they are after this op. */
function wholeSince(dys: Step['dys'], op: number): number {
  return dys.every((dy) => !dy?.place) ? Math.max(...dys.map((dy) => dy?.wholeFrom ?? op)) : op;
}

/** Finds the ids of tensors that depend on one of the targets. */
export function dependents(ops: readonly TapedOp[], targets: readonly Tensor[]): ReadonlySet<number> {
  const ids = new Set(targets.map(({id}) => id));
  for (const {inputs, outputs} of ops) {
    for (const name in inputs) {
      if (!ids.has((inputs[name] as Tensor).id)) continue;
      for (const {id} of outputs) ids.add(id);
      break;
    }
  }
  return ids;
}

/**
 * Finds how to cut an op, if its rule allows; missing gradients are 0 at the place of the others.
 */
function cutOf(op: TapedOp, dys: Step['dys'], wanted: readonly string[], cut: RowCut): OpCut | undefined {
  // A single row leaves nothing to cut, and any axis of size 1 could be the row axis.
  if (cut.batchSize === 1) return undefined;
  const first = dys.find((dy) => dy !== undefined)?.place;
  const places = dys.map((dy) => (dy ? dy.place : first));
  if (!places.every((place) => place !== undefined)) return undefined;
  return cutOp(op, {places: places as Place[], batchSize: cut.batchSize, kept: cut.kept}, wanted);
}

/** Returns the output gradients in the form that the op takes: of the kept rows if it is cut. */
function valuesOf({outputs}: TapedOp, dys: Step['dys'], isCut: boolean, cut: RowCut | undefined): Tensor[] {
  const place = dys.find((dy) => dy !== undefined)?.place;
  return dys.map((dy, i) => {
    const output = outputs[i] as Tensor;
    if (dy) return isCut ? dy.value : whole(dy, output, cut);
    return zeros(shapeOf(output, isCut ? place : undefined, cut));
  });
}

/** An op, its output gradients, and the inputs to differentiate by. */
interface Step {
  where: string;
  op: TapedOp;
  dys: readonly (Gradient | undefined)[];
  wanted: readonly string[];
  opCut: OpCut | undefined;
  cut: RowCut | undefined;
  softmaxes: ReadonlySet<number> | undefined;
}

/** Computes the gradients of an op, for only the kept rows if it is cut. */
function differentiate(step: Step, held: HeldRows): Record<string, Gradient> {
  const {op, dys, opCut, cut, wanted} = step;
  const rows = opCut ? op.saved.map((tensor, i) => held.take(op, i, tensor, opCut.saved[i])) : op.saved;
  const values = tidy(() => {
    const given = valuesOf(op, dys, opCut !== undefined, cut);
    const saved = opCut
      ? rows.map((tensor, i) => shaped(tensor, op.saved[i] as Tensor, opCut.saved[i], cut))
      : op.saved;
    return distinct(compute(step, saved, given), given);
  });
  const gradients: Record<string, Gradient> = {};
  for (const [i, name] of wanted.entries()) {
    const [value, place] = [values[i] as Tensor, opCut?.inputs[name]];
    checkGradient(step, name, value, shapeOf(op.inputs[name] as Tensor, place, cut));
    gradients[name] = {value, place, isOfLogits: isByLogits(step, name)};
  }
  return gradients;
}

/** Computes the gradients of the wanted inputs, in their order. */
function compute(step: Step, saved: Tensor[], dys: Tensor[]): Tensor[] {
  const {where, op, opCut, wanted} = step;
  const attrs = opCut?.attrs ?? op.attrs;
  const functions = ownGradients({op, saved, attrs}, dys[0] as Tensor) ?? op.gradient?.(dys, saved, attrs);
  return wanted.map((name) => {
    if (isByLogits(step, name)) return (op.ofSoftmax as Softmaxed).gradient(dys[0] as Tensor, saved);
    const gradient = functions?.[name];
    if (gradient) return gradient();
    const remedy = `tfjs has no gradient for its input ${name}.`;
    throw typeError(where, 'model and loss', 'be made of ops that have a gradient', op.name, remedy);
  });
}

type Softmaxed = NonNullable<TapedOp['ofSoftmax']>;

/** Whether the gradient of an input is computed with respect to its softmax logits. */
function isByLogits({op, softmaxes}: Step, input: string): boolean {
  return op.ofSoftmax?.input === input && softmaxes?.has((op.inputs[input] as Tensor).id) === true;
}

/** Refuses a wrong shape: some tfjs gradients are not summed over broadcast axes. */
function checkGradient({where, op}: Step, input: string, value: Tensor, expected: readonly number[]): void {
  if (isSameShape(value.shape, expected) && value.dtype === 'float32') return;
  const gradient = `the gradient of ${op.name} with respect to its input ${input}`;
  throw typeError(where, gradient, `be float32${shapeText(expected)}`, value);
}

/**
 * Replaces aliased results by views, so that each gradient can be disposed independently: an input
 * returned unchanged, or one tensor returned twice. New tensors have higher ids than the inputs.
 */
function distinct(gradients: Tensor[], given: Tensor[]): Tensor[] {
  const newest = Math.max(...given.map(({id}) => id));
  return gradients.map((gradient, i) => {
    const isOwn = gradient.id > newest && !gradient.kept && gradients.indexOf(gradient) === i;
    return isOwn ? gradient : reshape(gradient, gradient.shape);
  });
}

function whole({value, place}: Gradient, {shape}: Tensor, cut: RowCut | undefined): Tensor {
  return place && cut ? cut.put(value, place, shape) : value;
}

/** Adds two gradients of a tensor, and disposes them. */
function sumOf(one: Gradient, other: Gradient, tensor: Tensor, op: number, cut: RowCut | undefined): Gradient {
  const isAlike = one.place && other.place ? isSamePlace(one.place, other.place) : one.place === other.place;
  const value = tidy(() =>
    isAlike ? add(one.value, other.value) : add(whole(one, tensor, cut), whole(other, tensor, cut)),
  );
  one.value.dispose();
  other.value.dispose();
  if (isAlike && one.place) return {value, place: one.place};
  return {value, place: undefined, wholeFrom: isAlike ? Math.max(one.wholeFrom ?? op, other.wholeFrom ?? op) : op};
}

/** Ops whose gradients read the shapes of the saved tensors, but not their values. */
const NEED_SHAPES_ONLY = new Set('Add AddN Concat ExpandDims Mean Pack PadV2 Reshape Sub Sum Slice'.split(' '));

/**
 * Whether a gradient reads the values of a saved tensor. Fused ops without activation never read
 * the output.
 */
function readsValues({kind, name}: TapedOp, saved: number): boolean {
  return kind === 'custom' ? !(name.startsWith('fused') && saved === 2) : !NEED_SHAPES_ONLY.has(name);
}

/** Reshapes the kept rows to the shape of the saved tensor that they were gathered from. */
function shaped(rows: Tensor, whole: Tensor, place: Place | undefined, cut: RowCut | undefined): Tensor {
  const expected = shapeOf(whole, place, cut);
  return isSameShape(rows.shape, expected) ? rows : reshape(rows, expected);
}

/** Returns the shape of a tensor, or of its kept rows if they have a place. */
function shapeOf({shape}: Tensor, place: Place | undefined, cut: RowCut | undefined): number[] {
  return place && cut ? cutShape(shape, place, cut.batchSize, cut.kept) : shape;
}

type HeldRows = ReturnType<typeof heldRows>;

/** Gathers rows of saved tensors, once per underlying data. */
function heldRows(ops: readonly TapedOp[], cut: RowCut | undefined) {
  /** The first op that saved each data: no earlier op needs its rows. */
  const firstSavedBy = new Map<object, number>();
  for (let i = ops.length - 1; cut && i >= 0; i--) {
    for (const {dataId} of (ops[i] as TapedOp).saved) firstSavedBy.set(dataId, i);
  }
  const taken = new Map<object, {place: Place; rows: Tensor}[]>();
  const lastNeeded = new Map<number, object[]>();
  return {
    /** Returns the kept rows of a saved tensor, in the shape of their first use. */
    take(op: TapedOp, index: number, tensor: Tensor, place: Place | undefined): Tensor {
      if (!cut || !place) return tensor;
      const {dtype, dataId, id} = tensor;
      // A tensor of the right shape over the data of all rows: the gradient needs only the shape,
      // so nothing is copied.
      if (!readsValues(op, index)) return new Tensor(shapeOf(tensor, place, cut), dtype, dataId, id);
      const known = taken.get(dataId);
      // A cast to a wider type shares the data too.
      const held = known?.find(({place: at, rows}) => isSamePlace(at, place) && rows.dtype === dtype);
      if (held) return held.rows;
      const rows = cut.take(tensor, place);
      if (known) known.push({place, rows});
      else {
        const last = firstSavedBy.get(dataId) as number;
        taken.set(dataId, [{place, rows}]);
        lastNeeded.set(last, [...(lastNeeded.get(last) ?? []), dataId]);
      }
      return rows;
    },
    /** Disposes rows that no earlier op has saved. */
    release(op: number): void {
      for (const dataId of lastNeeded.get(op) ?? []) {
        dispose((taken.get(dataId) ?? []).map(({rows}) => rows));
        taken.delete(dataId);
      }
    },
  };
}
