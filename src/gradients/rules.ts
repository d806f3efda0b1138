/**
 * @file Rules that prove, op by op, that a gradient of some rows stays a gradient of these rows.
 *
 * A rule concerns an op whose output gradient is 0 except in the kept rows, at known places. It
 * decides whether the gradient of each input is also 0 except in the kept rows of some place, or
 * complete (that of a weight). The gradient must be computable from saved tensors cut to these
 * rows. The answer holds for the op's linear map, and depends only on attributes and shapes, never
 * on values.
 */

import '@tensorflow/tfjs-layers';
import {type GradConfig, getGradient, slice_util, type Tensor, util} from '@tensorflow/tfjs-core';
import type {Attributes, KernelRun, TapedOp} from '../engine';
import {type AxisPlace, axisOf, isSamePlace, isSameShape, type Place, placeAt, sizeOf} from './places';

/**
 * Place of the kept rows in each input; undefined if the input is used whole, with a whole
 * gradient.
 */
type InputPlaces = Record<string, Place | undefined>;

/** How to compute the cut gradient of an op. */
export interface OpCut {
  inputs: InputPlaces;
  /** Places of the rows in the tensors that the op saved. */
  saved: (Place | undefined)[];
  attrs: Attributes | undefined;
}

/** An op whose outputs are cut. */
export interface CutOutputs {
  places: readonly Place[];
  batchSize: number;
  kept: number;
}

type Shape = readonly number[];

/** Input of a rule. */
interface Question extends KernelRun {
  out: readonly Place[];
  attrs: Attributes;
  /** The axis of the first output that holds the rows. */
  at: AxisPlace;
  batchSize: number;
  kept: number;
}

/**
 * Places of the rows, and attributes for fewer rows if they differ; undefined: continue with all
 * rows.
 */
type Answer = {inputs: InputPlaces; attrs?: Attributes} | undefined;
type Rule = (question: Question) => Answer;

const REFUSED = 'refused';
type Found = Place | undefined | typeof REFUSED;

const RULES = new Map<string, Rule>();

function ruleFor(names: string, rule: Rule): void {
  for (const name of names.trim().split(/\s+/)) RULES.set(name, rule);
}

/** Builds an answer from a place per input. */
function answer(places: Record<string, Found>, attrs?: Attributes): Answer {
  for (const name in places) if (places[name] === REFUSED) return undefined;
  return attrs ? {inputs: places as InputPlaces, attrs} : {inputs: places as InputPlaces};
}

/** Returns the place of rows on an axis of an input, if it is the same as in the output. */
function found(input: Tensor | undefined, axis: number, lie: Omit<AxisPlace, 'axis'>, batchSize: number): Found {
  return (input && placeAt(input.shape, axis, lie, batchSize)) ?? REFUSED;
}

/** Returns the first input of an op. */
function firstOf(inputs: Record<string, Tensor>): [name: string, input: Tensor] {
  return Object.entries(inputs)[0] as [string, Tensor];
}

const axesOf = (axis: unknown, shape: Shape): number[] => util.parseAxisParam(axis as number | number[], [...shape]);

/**
 * Builds an answer from a place per input. Runs for each op in each step, so it allocates no lists.
 */
function eachOf(inputs: Record<string, Tensor>, place: (input: Tensor, name: string) => Found): Answer {
  const places: Record<string, Found> = {};
  for (const name in inputs) places[name] = place(inputs[name] as Tensor, name);
  return answer(places);
}

// Element-wise, one input.
ruleFor(
  `Abs Acos Acosh Asin Asinh Atan Atanh Cast Ceil ClipByValue Cos Cosh Elu Erf Exp Expm1 Floor Identity IsFinite IsInf IsNan
  LeakyRelu Log Log1p LogicalNot Neg OnesLike Reciprocal Relu Relu6 Round Rsqrt Selu Sigmoid Sign Sin Sinh Softplus Sqrt Square Step
  Tan Tanh ZerosLike`,
  ({inputs, out}) => answer({[firstOf(inputs)[0]]: out[0]}),
);

// Element-wise, several inputs. An input without the row axis, or with size 1 there, applies to all
// rows.
const broadcast: Rule = ({inputs, outputs, at, batchSize}) => {
  const {shape} = outputs[0] as Tensor;
  return eachOf(inputs, (input) => {
    const lead = shape.length - input.rank;
    if (!input.shape.every((size, i) => size === 1 || size === shape[lead + i])) return REFUSED;
    const axis = at.axis - lead;
    return axis < 0 || input.shape[axis] === 1 ? undefined : found(input, axis, at, batchSize);
  });
};
ruleFor(
  `Add Sub Multiply RealDiv FloorDiv Mod Atan2 Pow Maximum Minimum SquaredDifference Equal NotEqual Greater GreaterEqual Less LessEqual
  LogicalAnd LogicalOr`,
  broadcast,
);
const areAlike = ({inputs, outputs: [output]}: KernelRun): boolean =>
  Object.values(inputs).every(({shape}) => isSameShape(shape, (output as Tensor).shape));
ruleFor('AddN Select', (question) => (areAlike(question) ? broadcast(question) : undefined));
// On wasm, an entry of a broadcast alpha may be used for another row.
ruleFor('Prelu', (question) => {
  const places = broadcast(question);
  return areAlike(question) || !places?.inputs.alpha ? places : undefined;
});

// The same elements in the same order.
ruleFor('Reshape ExpandDims', ({inputs, out, batchSize}) => {
  const [name, {shape}] = firstOf(inputs);
  return answer({[name]: axisOf(shape, out[0] as Place, batchSize) ? out[0] : REFUSED});
});

// Over some axes, which must not include the row axis.
const reduction =
  (attribute: string): Rule =>
  ({inputs, outputs, attrs, at, batchSize}) => {
    const [name, input] = firstOf(inputs);
    const axes = axesOf(attrs[attribute], input.shape);
    const keepsAxes = (outputs[0] as Tensor).rank === input.rank;
    const kept = input.shape.map((_, axis) => axis).filter((axis) => keepsAxes || !axes.includes(axis));
    const axis = kept[at.axis];
    return axis === undefined ? undefined : answer({[name]: found(input, axis, at, batchSize)});
  };
ruleFor('Sum Mean Prod Min All Any ArgMax ArgMin', reduction('axis'));
ruleFor('Max', reduction('reductionIndices'));

const along =
  (attribute: string): Rule =>
  ({inputs, out, attrs, at}) => {
    const [name, {shape}] = firstOf(inputs);
    return axesOf(attrs[attribute], shape).includes(at.axis) ? undefined : answer({[name]: out[0]});
  };
ruleFor('Softmax', along('dim'));
ruleFor('Cumsum Cumprod', along('axis'));
ruleFor('Reverse', along('dims'));
const alongLast: Rule = ({inputs, outputs, out, at}) =>
  at.axis === (outputs[0] as Tensor).rank - 1 ? undefined : answer({[firstOf(inputs)[0]]: out[0]});
ruleFor('LRN', alongLast);
ruleFor('OneHot', ({inputs, outputs, at, batchSize}) =>
  at.axis === (outputs[0] as Tensor).rank - 1
    ? undefined
    : answer({indices: found(inputs.indices, at.axis, at, batchSize)}),
);

ruleFor('Transpose', ({inputs, attrs, at, batchSize}) =>
  answer({x: found(inputs.x, (attrs.perm as number[])[at.axis] as number, at, batchSize)}),
);

// Concatenation and splitting.
ruleFor('Concat', ({inputs, attrs, at, batchSize}) =>
  eachOf(inputs, (input) => {
    const [axis] = axesOf(attrs.axis, input.shape);
    if (axis !== at.axis) return found(input, at.axis, at, batchSize);
    // Along the rows: whole rounds of the batch one after another.
    const before = (input.shape[axis] as number) / (batchSize * at.after);
    return Number.isInteger(before) ? found(input, axis, {before, after: at.after}, batchSize) : REFUSED;
  }),
);
ruleFor('Pack', ({inputs, outputs, attrs, at, batchSize}) => {
  const [axis] = axesOf(attrs.axis, (outputs[0] as Tensor).shape) as [number];
  if (at.axis === axis) return undefined;
  return eachOf(inputs, (input) => found(input, at.axis < axis ? at.axis : at.axis - 1, at, batchSize));
});
ruleFor('Unpack', ({inputs: {value}, out, attrs, at, batchSize}) => {
  if (!out.every((place) => isSamePlace(place, out[0] as Place))) return undefined;
  const [axis] = axesOf(attrs.axis, (value as Tensor).shape) as [number];
  return answer({value: found(value, at.axis < axis ? at.axis : at.axis + 1, at, batchSize)});
});
ruleFor('SplitV', ({inputs: {x}, outputs, out, attrs, at, batchSize}) => {
  const each = outputs.map(({shape}, i) => axisOf(shape, out[i] as Place, batchSize));
  if (!each.every((part) => part?.axis === at.axis && part.after === at.after)) return undefined;
  const [axis] = axesOf(attrs.axis, (x as Tensor).shape);
  if (axis !== at.axis) return answer({x: found(x, at.axis, at, batchSize)});
  // Along the rows: the rounds of all parts one after another.
  const before = each.reduce((total, part) => total + (part as AxisPlace).before, 0);
  return answer({x: found(x, axis, {before, after: at.after}, batchSize)});
});
ruleFor('Slice', ({inputs: {x}, attrs, at, batchSize, kept}) => {
  const {axis, after} = at;
  const input = x as Tensor;
  const [begin, size] = slice_util
    .parseSliceParams(input, attrs.begin as number[], attrs.size as number[])
    .map((list) => [...list]) as [number[], number[]];
  const round = batchSize * after;
  const [first, length] = [begin[axis] as number, input.shape[axis] as number];
  if (first % round !== 0 || length % round !== 0) return undefined;
  // Start and size are attributes, which scale with the number of rows.
  begin[axis] = (first / batchSize) * kept;
  size[axis] = ((size[axis] as number) / batchSize) * kept;
  return answer({x: found(input, axis, {before: length / round, after}, batchSize)}, {...attrs, begin, size});
});
// Padding the row axis changes its size, so the rows have no place there.
ruleFor('PadV2 MirrorPad', ({inputs: {x}, at, batchSize}) => answer({x: found(x, at.axis, at, batchSize)}));
ruleFor('Tile', ({inputs: {x}, attrs, at, batchSize, kept}) => {
  const {axis, before, after} = at;
  const reps = attrs.reps as number[];
  const length = (x as Tensor).shape[axis] as number;
  if (reps[axis] === 1) return answer({x: found(x, axis, at, batchSize)});
  // Each repetition is a row: all of x applies to each of them.
  if (reps[axis] === before * batchSize) {
    return answer({x: undefined}, {...attrs, reps: reps.map((count, i) => (i === axis ? before * kept : count))});
  }
  // Every repetition contains all rows.
  const rounds = length / (batchSize * after);
  return Number.isInteger(rounds) && rounds > 0
    ? answer({x: found(x, axis, {before: rounds, after}, batchSize)})
    : undefined;
});
ruleFor('GatherV2', ({inputs: {x, indices}, attrs, at, batchSize}) => {
  if (attrs.batchDims) return undefined;
  const [axis] = axesOf(attrs.axis, (x as Tensor).shape) as [number];
  const {rank} = indices as Tensor;
  if (at.axis < axis) return answer({x: found(x, at.axis, at, batchSize), indices: undefined});
  if (at.axis >= axis + rank) return answer({x: found(x, at.axis - rank + 1, at, batchSize), indices: undefined});
  return answer({x: undefined, indices: found(indices, at.axis - axis, at, batchSize)});
});

// Products.
const product: Rule = ({inputs: {a, b}, outputs: [y], attrs, at, batchSize}) => {
  const [left, right, {rank}] = [a as Tensor, b as Tensor, y as Tensor];
  if (left.rank !== rank || right.rank !== rank) return undefined;
  const on = (input: Tensor, axis: number) => found(input, axis, at, batchSize);
  if (at.axis < rank - 2) return answer({a: on(left, at.axis), b: on(right, at.axis)});
  if (at.axis === rank - 2) return answer({a: on(left, attrs.transposeA ? rank - 1 : rank - 2), b: undefined});
  return answer({a: undefined, b: on(right, attrs.transposeB ? rank - 2 : rank - 1)});
};
ruleFor('BatchMatMul', product);
ruleFor('_FusedMatMul', (question) => {
  const {bias, preluActivationWeights} = question.inputs;
  const places = preluActivationWeights ? undefined : product(question);
  if (!places || !bias) return places;
  const ofBias = broadcast({...question, inputs: {bias}});
  return ofBias && {inputs: {...places.inputs, ...ofBias.inputs}};
});

// Convolutions and pools: only on the first axis. The other inputs apply to all rows.
const leading =
  (name: string, ...shared: string[]): Rule =>
  ({inputs, at, batchSize}) => {
    const {bias, preluActivationWeights} = inputs;
    const hasPlainBias = !bias || bias.rank <= 1 || bias.shape[0] === 1;
    if (at.axis !== 0 || preluActivationWeights || !hasPlainBias) return undefined;
    const whole = shared.filter((other) => inputs[other]).map((other) => [other, undefined] as const);
    return answer({[name]: found(inputs[name], 0, at, batchSize), ...Object.fromEntries(whole)});
  };
ruleFor('Conv2D Conv3D DepthwiseConv2dNative Dilation2D', leading('x', 'filter'));
ruleFor('FusedConv2D FusedDepthwiseConv2D', leading('x', 'filter', 'bias'));
ruleFor('Conv2DBackpropInput Conv3DBackpropInputV2', leading('dy', 'filter'));
ruleFor('AvgPool MaxPool AvgPool3D MaxPool3D DepthToSpace', leading('x'));
ruleFor('ResizeBilinear ResizeNearestNeighbor', leading('images'));

ruleFor('FusedBatchNorm', ({inputs, out, at}) => {
  const {x, ...others} = inputs;
  const {shape} = x as Tensor;
  // Layer normalisation: every input has the size of x, and the op is element-wise.
  const isAsLarge = (other: Tensor) =>
    other.size === sizeOf(shape) && isSameShape(other.shape, shape.slice(-other.rank));
  if (Object.values(others).every(isAsLarge)) return eachOf(inputs, () => out[0]);
  if (!Object.values(others).every(({rank}) => rank === 1) || at.axis === shape.length - 1) return undefined;
  return eachOf(inputs, (_, name) => (name === 'x' ? out[0] : undefined));
});

/** Names of the ops that have a rule. */
export const RULED_OPS: readonly string[] = /* @__PURE__ */ [...RULES.keys()];

/** Whether an op is row-wise, but its tfjs gradient must not be cut. */
const isCutForwardOnly = (kernel: KernelRun): boolean => {
  const {name, inputs, attrs} = kernel;
  // On cpu, the tfjs gradient is wrong for more than one row.
  if (name === 'ResizeNearestNeighbor') return !isUpsampling(kernel);
  if (name === 'Conv3DBackpropInputV2') return true;
  // In tfjs 4.22, the gradient of Cumsum is wrong on all axes but the last.
  if (name !== 'Cumsum') return false;
  const {shape} = inputs.x as Tensor;
  return axesOf(attrs?.axis, shape)[0] !== shape.length - 1;
};

/** Whether an op repeats each pixel by whole factors. */
export function isUpsampling({name, inputs: {images}, outputs: [output], attrs}: KernelRun): boolean {
  if (name !== 'ResizeNearestNeighbor' || attrs?.alignCorners || attrs?.halfPixelCenters) return false;
  const [before, after] = [images as Tensor, output as Tensor];
  return [1, 2].every((axis) => (after.shape[axis] as number) % (before.shape[axis] as number) === 0);
}

/** Ops whose tfjs gradient is not summed over broadcast axes. */
const UNSUMMED = new Set(['Maximum', 'Minimum', 'SquaredDifference']);

/**
 * The tfjs gradients that the rules were checked against; a replacement registered by other code is
 * not cut. tfjs-layers registers them. If a bundler removed that, the first one seen counts as the
 * gradient of tfjs.
 */
const STOCK = /* @__PURE__ */ new Map([...RULES.keys()].map((name) => [name, getGradient(name)?.gradFunc]));

/** Returns the gradient of an op, if it is the one of tfjs. */
export function stockGradient(name: string): GradConfig | undefined {
  const config = getGradient(name);
  if (!config) return undefined;
  const stock = STOCK.get(name) ?? config.gradFunc;
  STOCK.set(name, stock);
  return stock === config.gradFunc ? config : undefined;
}

/** Whether other code has replaced the gradient of an op, as a second copy of tfjs does. */
export const isReplaced = (name: string) => getGradient(name) !== undefined && stockGradient(name) === undefined;

function ask({name, inputs, outputs, attrs = {}}: KernelRun, {places, batchSize, kept}: CutOutputs): Answer {
  const at = axisOf((outputs[0] as Tensor).shape, places[0] as Place, batchSize);
  return at && RULES.get(name)?.({name, inputs, outputs, attrs, out: places, at, batchSize, kept});
}

/**
 * Finds the rows that the rows of an op's outputs depend on. Entries of these rows depend on the
 * inputs only in the same rows at the places found, and on all of an input without a place.
 * Undefined: they may depend on other rows.
 */
export function rowsForward(op: KernelRun & Partial<Pick<TapedOp, 'kind' | 'inner'>>, cut: CutOutputs) {
  if (op.kind === 'copy') return {x: cut.places[0]};
  if (op.kind === 'custom') return customCut(op as TapedOp, cut)?.inputs;
  if (op.kind === 'own') return ownCut(op, cut)?.inputs;
  return ask(op, cut)?.inputs;
}

/**
 * Finds how to compute the gradient of an op for the kept rows alone. Undefined: it needs all rows.
 *
 * @param wanted  the inputs whose gradients are needed.
 */
export function cutOp(op: TapedOp, cut: CutOutputs, wanted: readonly string[]): OpCut | undefined {
  const {kind, name, inputs, outputs, attrs, saved} = op;
  if (kind === 'copy') return {inputs: {x: cut.places[0]}, saved: [], attrs};
  if (kind === 'custom') return customCut(op, cut);
  if (kind === 'own') return ownCut(op, cut);
  const config = stockGradient(name);
  if (!config || isCutForwardOnly(op)) return undefined;
  const isUnsummed = (input: string) => !isSameShape((inputs[input] as Tensor).shape, (outputs[0] as Tensor).shape);
  if (UNSUMMED.has(name) && wanted.some(isUnsummed)) return undefined;
  const found = ask(op, cut);
  if (!found) return undefined;
  const inputsSaved = config.saveAllInputs ? Object.keys(inputs) : (config.inputsToSave ?? []);
  const outputsSaved = cut.places.filter((_, i) => config.outputsToSave?.[i]);
  const places = [...inputsSaved.map((input) => found.inputs[input]), ...outputsSaved];
  if (places.length !== saved.length) return undefined;
  return {inputs: found.inputs, saved: places, attrs: found.attrs ?? attrs};
}

/**
 * Cuts an op of this library. It works per entry of its output, along the same axes of its inputs,
 * which may have further axes. It saves its inputs.
 */
function ownCut({inputs, outputs}: KernelRun, {places, batchSize}: CutOutputs): OpCut | undefined {
  const at = axisOf((outputs[0] as Tensor).shape, places[0] as Place, batchSize);
  const ofInputs = at && eachOf(inputs, (input) => found(input, at.axis, at, batchSize));
  return ofInputs && {inputs: ofInputs.inputs, saved: Object.values(ofInputs.inputs), attrs: undefined};
}

/** Custom gradients of tfjs that use only what they saved: scope, inner kernel, their tensors. */
const CONVOLUTION = {inputs: ['x', 'filter', 'bias'], saved: ['filter', 'x', 'y', 'bias']};
const FUSED = [
  {scope: 'fusedMatMul__op', kernel: '_FusedMatMul', inputs: ['a', 'b', 'bias'], saved: ['a', 'b', 'y', 'bias']},
  {scope: 'fusedConv2d__op', kernel: 'FusedConv2D', ...CONVOLUTION},
  {scope: 'fusedDepthwiseConv2d__op', kernel: 'FusedDepthwiseConv2D', ...CONVOLUTION},
];

/**
 * Finds the product in a fused op of tfjs, if the op used and saved only the tensors of that
 * product.
 */
export function fusedProduct({kind, name, inputs, originals, inner}: TapedOp) {
  const fused = kind === 'custom' ? FUSED.find(({scope}) => scope === name) : undefined;
  if (!fused) return undefined;
  const [kernel, ...others] = inner.filter((run) => run.name !== 'Identity' && run.name !== 'Reshape');
  if (kernel?.name !== fused.kernel || others.length > 0) return undefined;
  // The gradient of an activation would read the output. On a tape, tfjs fuses none.
  if (kernel.attrs?.activation !== 'linear') return undefined;
  const data: Record<string, Tensor | undefined> = {...kernel.inputs, y: kernel.outputs[0]};
  const isIt = (tensor: Tensor | undefined, part: string | undefined) =>
    tensor !== undefined && part !== undefined && tensor.dataId === data[part]?.dataId;
  const given = Object.values(inputs);
  if (!given.every((tensor, i) => isIt(tensor, fused.inputs[i]))) return undefined;
  if (!originals.every((tensor, i) => isIt(tensor, fused.saved[i]))) return undefined;
  return {kernel, names: fused.inputs, savedNames: fused.saved};
}

function customCut(op: TapedOp, cut: CutOutputs): OpCut | undefined {
  const {inputs, saved, attrs} = op;
  const fused = fusedProduct(op);
  if (fused) {
    const found = ask(fused.kernel, cut);
    if (!found) return undefined;
    const ofPart = (part: string) => (part === 'y' ? cut.places[0] : found.inputs[part]);
    const named = Object.keys(inputs).map((key, i) => [key, ofPart(fused.names[i] as string)] as const);
    return {
      inputs: Object.fromEntries(named),
      saved: saved.map((_, i) => ofPart(fused.savedNames[i] as string)),
      attrs,
    };
  }
  return crossentropyCut(op, cut);
}

/**
 * Kernels of a log-softmax and a softmax crossentropy in tfjs, without copies and changes of type
 * or shape.
 */
const CROSSENTROPIES: Record<string, string> = {
  logSoftmax__op: 'Max Sub Exp Sum Log Sub',
  softmaxCrossEntropy__op: 'Max Sub Exp Sum Log Add Sub Multiply Neg Sum',
};

/**
 * Cuts a log-softmax or crossentropy of tfjs, along the last axis. Its gradient reads the saved
 * output, or the saved labels and log-softmax.
 */
function crossentropyCut({name, inputs, outputs, saved, originals, inner, attrs}: TapedOp, cut: CutOutputs) {
  const [first, output] = [inputs[0] as Tensor, outputs[0] as Tensor];
  const at = axisOf(output.shape, cut.places[0] as Place, cut.batchSize);
  const kernels = inner.filter((run) => !['Identity', 'Reshape', 'Cast'].includes(run.name)).map((run) => run.name);
  if (!at || kernels.join(' ') !== CROSSENTROPIES[name] || at.axis === first.rank - 1) return undefined;
  if (saved.length === 1) {
    return originals[0]?.dataId === output.dataId
      ? {inputs: {0: cut.places[0]}, saved: [cut.places[0]], attrs}
      : undefined;
  }
  const place = placeAt(first.shape, at.axis, at, cut.batchSize);
  const isOfLabels = saved.length === 2 && originals[0]?.dataId === first.dataId;
  return place && isOfLabels ? {inputs: {0: place, 1: place}, saved: [place, place], attrs} : undefined;
}

/**
 * Counts the multiplications of the gradients of these inputs; 0 for ops that are no product. Each
 * factor costs as many as the forward pass: each output entry times every entry of a row or of a
 * filter.
 */
export function multiplications(op: TapedOp, wanted: readonly string[]): number {
  const fused = fusedProduct(op);
  if (!fused && op.kind !== 'kernel') return 0;
  const {name, inputs, outputs, attrs} = fused?.kernel ?? op;
  const isMatMul = name === 'BatchMatMul' || name === '_FusedMatMul';
  if (!isMatMul && !name.includes('Conv')) return 0;
  const isFactor = (input: string) => (fused ? fused.names[Number(input)] : input) !== 'bias';
  // A transposed convolution multiplies each input entry, not each output entry.
  const {size} = (name.includes('Backprop') ? inputs.dy : outputs[0]) as Tensor;
  const times = wanted.filter(isFactor).length * size;
  if (isMatMul) return times * ((inputs.a as Tensor).shape.at(attrs?.transposeA ? -2 : -1) as number);
  const filter = inputs.filter as Tensor;
  // A filter is [height, width, in, out]; in a depthwise one, each output channel has one input
  // channel.
  const channels = name.includes('Depthwise') ? filter.shape.slice(-2) : filter.shape.slice(-1);
  return (times * filter.size) / sizeOf(channels);
}
