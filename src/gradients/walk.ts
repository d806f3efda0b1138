import {add, dispose, type NamedTensorMap, reshape, Tensor, tidy, Variable, zeros} from '@tensorflow/tfjs-core';
import {shapeText, typeError} from '../checks';
import type {TapedOp} from '../engine';
import {ownGradients} from './ownGradients';
import {cutShape, isSamePlace, isSameShape, type Place, type RowCut} from './places';
import {cutOp, multiplications, type OpCut, stockGradient} from './rules';

/** A gradient by a tensor; with a place, by the kept rows there, and 0 at all others. */
export interface Gradient {
  value: Tensor;
  place?: Place | undefined;
  /** If it has no place: the op since which all rows go on. */
  wholeFrom?: number;
  /** Whether it is the gradient by the logits that the tensor is the softmax of. */
  isOfLogits?: boolean;
}

/** A tensor from which the walk begins, with its gradient. */
export interface Start extends Gradient {
  tensor: Tensor;
}

/** How far the walk may be cut to the kept rows. */
export interface WalkCut extends RowCut {
  /** The op before which all rows go on, also if it could be cut. Default 0: none. */
  from?: number;
}

/** How often each tensor is read by some ops, by its id. A copy that tfjs made to save it, and that nothing reads, is no reader. */
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

/** The softmaxes over the last axis that so many of some ops read, by the ids of their outputs. */
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
  /** The gradients by all tensors that were asked for, by their ids, as they were found. */
  found: ReadonlyMap<number, Gradient>;
  /** Multiplications of all products, and of those that ran with the kept rows alone. */
  multiplications: {all: number; cut: number};
  /** The op that made all rows go on to a product, coming from the losses; −1 for none. */
  blockedAt: number;
}

/**
 * Walks a tape back to variables, or to other tensors, and computes only gradients that lead to one of them.
 *
 * Each op is asked, by its rule, whether the gradient of the kept rows stays one of the kept rows.
 * If not, their gradients are put back among zeros, and all rows go on from there. Runs within a
 * `tidy`.
 *
 * @param where  the function that errors are to name.
 * @param softmaxes  tensors that are a softmax and are read once, by their ids.
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

/** Since which op all rows go on, if they do behind this one. */
function wholeSince(dys: Step['dys'], op: number): number {
  return dys.every((dy) => !dy?.place) ? Math.max(...dys.map((dy) => dy?.wholeFrom ?? op)) : op;
}

/** The tensors that depend on one of these, by their ids. */
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

/** How an op is cut, if its rule allows; missing gradients are 0 at the place of the others. */
function cutOf(op: TapedOp, dys: Step['dys'], wanted: readonly string[], cut: RowCut): OpCut | undefined {
  // Of a single row there is nothing to cut, and any axis of size 1 could be the one that holds it.
  if (cut.batchSize === 1) return undefined;
  const first = dys.find((dy) => dy !== undefined)?.place;
  const places = dys.map((dy) => (dy ? dy.place : first));
  if (!places.every((place) => place !== undefined)) return undefined;
  return cutOp(op, {places: places as Place[], batchSize: cut.batchSize, kept: cut.kept}, wanted);
}

/** The gradients of the outputs as the op takes them: of the kept rows if it is cut. */
function valuesOf({outputs}: TapedOp, dys: Step['dys'], isCut: boolean, cut: RowCut | undefined): Tensor[] {
  const place = dys.find((dy) => dy !== undefined)?.place;
  return dys.map((dy, i) => {
    const output = outputs[i] as Tensor;
    if (dy) return isCut ? dy.value : whole(dy, output, cut);
    return zeros(shapeOf(output, isCut ? place : undefined, cut));
  });
}

/** An op, the gradients of its outputs, and the inputs by which gradients are wanted. */
interface Step {
  where: string;
  op: TapedOp;
  dys: readonly (Gradient | undefined)[];
  wanted: readonly string[];
  opCut: OpCut | undefined;
  cut: RowCut | undefined;
  softmaxes: ReadonlySet<number> | undefined;
}

/** Computes the gradients of an op, of the kept rows alone if it is cut. */
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

/** The gradients by the inputs that are wanted, in their order. */
function compute(step: Step, saved: Tensor[], dys: Tensor[]): Tensor[] {
  const {where, op, opCut, wanted} = step;
  const attrs = opCut?.attrs ?? op.attrs;
  const functions = ownGradients({op, saved, attrs}, dys[0] as Tensor) ?? op.gradient?.(dys, saved, attrs);
  return wanted.map((name) => {
    if (isByLogits(step, name)) return (op.ofSoftmax as Softmaxed).gradient(dys[0] as Tensor, saved);
    const gradient = functions?.[name];
    if (gradient) return gradient();
    const remedy = `tfjs has none by its input ${name}.`;
    throw typeError(where, 'model and loss', 'be made of ops that have a gradient', op.name, remedy);
  });
}

type Softmaxed = NonNullable<TapedOp['ofSoftmax']>;

/** Whether the gradient by an input is that by the logits of the softmax that it is. */
function isByLogits({op, softmaxes}: Step, input: string): boolean {
  return op.ofSoftmax?.input === input && softmaxes?.has((op.inputs[input] as Tensor).id) === true;
}

/** Refuses another shape: some gradients of tfjs are not summed over broadcast axes. */
function checkGradient({where, op}: Step, input: string, value: Tensor, expected: readonly number[]): void {
  if (isSameShape(value.shape, expected) && value.dtype === 'float32') return;
  const gradient = `the gradient of ${op.name} by its input ${input}`;
  throw typeError(where, gradient, `be float32${shapeText(expected)}`, value);
}

/**
 * Views in place of tensors that a gradient function did not make, but took from somewhere or gave
 * twice, so that each can be disposed by itself. What it made has a higher id than it was given.
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

/** The sum of two gradients of a tensor, which are disposed. */
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

/** Ops whose gradients look at the shapes of what they saved, and not at the values. */
const NEED_SHAPES_ONLY = new Set('Add AddN Concat ExpandDims Mean Pack PadV2 Reshape Sub Sum Slice'.split(' '));

/** Whether a gradient reads a saved tensor. Fused ops without activation never read the output. */
function readsValues({kind, name}: TapedOp, saved: number): boolean {
  return kind === 'custom' ? !(name.startsWith('fused') && saved === 2) : !NEED_SHAPES_ONLY.has(name);
}

/** A tensor of the kept rows in the shape of the saved tensor that they are of. */
function shaped(rows: Tensor, whole: Tensor, place: Place | undefined, cut: RowCut | undefined): Tensor {
  const expected = shapeOf(whole, place, cut);
  return isSameShape(rows.shape, expected) ? rows : reshape(rows, expected);
}

/** The shape of a tensor, or of its kept rows if they have a place. */
function shapeOf({shape}: Tensor, place: Place | undefined, cut: RowCut | undefined): number[] {
  return place && cut ? cutShape(shape, place, cut.batchSize, cut.kept) : shape;
}

type HeldRows = ReturnType<typeof heldRows>;

/** Takes the rows of saved tensors, once for all tensors that share their data. */
function heldRows(ops: readonly TapedOp[], cut: RowCut | undefined) {
  /** The first op that saved some data: none before it needs its rows. */
  const firstSavedBy = new Map<object, number>();
  for (let i = ops.length - 1; cut && i >= 0; i--) {
    for (const {dataId} of (ops[i] as TapedOp).saved) firstSavedBy.set(dataId, i);
  }
  const taken = new Map<object, {place: Place; rows: Tensor}[]>();
  const lastNeeded = new Map<number, object[]>();
  return {
    /** The kept rows of a tensor that an op saved, in the shape in which they were taken first. */
    take(op: TapedOp, index: number, tensor: Tensor, place: Place | undefined): Tensor {
      if (!cut || !place) return tensor;
      const {dtype, dataId, id} = tensor;
      // A tensor of the right shape over the data of all rows: nothing is copied for a shape.
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
    /** Disposes what no op before this one has saved. */
    release(op: number): void {
      for (const dataId of lastNeeded.get(op) ?? []) {
        dispose((taken.get(dataId) ?? []).map(({rows}) => rows));
        taken.delete(dataId);
      }
    },
  };
}
