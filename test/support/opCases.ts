import {engine, fused, getBackend, logSoftmax, losses, Reduction, type Tensor, tensor} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import type {Place} from '../../src/gradients/places';
import {randomFrom} from './property';

/** Draws what a random case is made of, so that fast-check prints it. */
export interface Draw {
  int(min: number, max: number): number;
  pick<T>(...list: readonly T[]): T;
}

export function drawFrom(g: fc.GeneratorValue): Draw {
  const int = (min: number, max: number) => g(fc.integer, {min, max});
  return {int, pick: (...list) => list[int(0, list.length - 1)] as (typeof list)[number]};
}

export interface InputSpec {
  shape: readonly number[];
  dtype?: 'float32' | 'int32' | 'bool';
  low?: number;
  high?: number;
}

/** One op with its inputs, by the names that a rule knows them by. */
export interface OpCase {
  inputs: Record<string, InputSpec>;
  attrs?: object;
  run(inputs: Record<string, Tensor>): Tensor | Tensor[];
}

type Sample = (draw: Draw, batchSize: number) => OpCase;

export function inputsOf({inputs}: OpCase, seed: number): Record<string, Tensor> {
  const random = randomFrom(seed);
  return Object.fromEntries(Object.entries(inputs).map(([name, spec]) => [name, tensorOf(spec, random)]));
}

export function tensorOf({shape, dtype = 'float32', low = -1, high = 1}: InputSpec, random: () => number): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const values = Array.from({length: size}, () => {
    const value = low + random() * (high - low);
    return dtype === 'float32' ? value : Math.floor(value);
  });
  return tensor(values, [...shape], dtype);
}

const MOST = 400;
const product = (list: readonly number[]) => list.reduce((all, next) => all * next, 1);

/** A random shape of which at least one axis can hold the rows. */
function shapeOf(draw: Draw, batchSize: number, rank = draw.int(1, 5)): number[] {
  const shape: number[] = Array.from({length: rank}, () => draw.pick(1, 2, 3, batchSize, batchSize, 2 * batchSize));
  const rows = draw.int(0, rank - 1);
  shape[rows] = batchSize * draw.pick(1, 1, 2, 3);
  for (let axis = 0; axis < rank && product(shape) > MOST; axis++) if (axis !== rows) shape[axis] = draw.int(1, 2);
  return shape;
}

const SAMPLES = new Map<string, Sample>();
const samples = (names: string, sample: (name: string) => Sample): void => {
  for (const name of names.trim().split(/\s+/)) SAMPLES.set(name, sample(name));
};
const kernel = (name: string, inputs: Record<string, InputSpec>, attrs: object = {}): OpCase => ({
  inputs,
  attrs,
  run: (tensors) => engine().runKernel(name, tensors as never, attrs as never) as Tensor | Tensor[],
});
const axisIn = (draw: Draw, {length}: readonly number[]): number => draw.int(-length, length - 1);
/** Some axes, which may be none or all of them. */
const axesIn = (draw: Draw, shape: readonly number[]) => shape.map((_, axis) => axis).filter(() => draw.int(0, 1));
/** A shape that broadcasts to this one. */
const narrower = (draw: Draw, shape: readonly number[]): number[] =>
  shape.map((size) => (draw.int(0, 2) ? size : 1)).slice(draw.int(0, 2) ? 0 : draw.int(0, shape.length - 1));

const UNARY_ATTRS: Record<string, object> = {
  Cast: {dtype: 'float32'},
  ClipByValue: {clipValueMin: -0.3, clipValueMax: 0.4},
  LeakyRelu: {alpha: 0.3},
  Step: {alpha: 0.2},
};
samples(
  `Abs Acos Asin Asinh Atan Atanh Cast Ceil ClipByValue Cos Cosh Elu Erf Exp Expm1 Floor Identity IsFinite IsInf IsNan
  LeakyRelu Log1p Neg OnesLike Relu Relu6 Round Selu Sigmoid Sign Sin Sinh Softplus Square Step Tan Tanh ZerosLike`,
  (name) => (draw, batch) => kernel(name, {x: {shape: shapeOf(draw, batch), low: -0.9, high: 0.9}}, UNARY_ATTRS[name]),
);
samples('Log Sqrt Rsqrt Reciprocal Acosh', (name) => (draw, batch) => {
  return kernel(name, {x: {shape: shapeOf(draw, batch), low: 1.1, high: 3}});
});
samples('LogicalNot', (name) => (draw, batch) => {
  return kernel(name, {x: {shape: shapeOf(draw, batch), dtype: 'bool', low: 0, high: 2}});
});

const twoOf =
  (name: string, spec: Partial<InputSpec> = {}): Sample =>
  (draw, batch) => {
    const shape = shapeOf(draw, batch, draw.int(1, 4));
    const both = [shape, draw.pick(shape, narrower(draw, shape))];
    const [a, b] = draw.int(0, 1) ? both : both.reverse();
    return kernel(name, {a: {shape: a as number[], ...spec}, b: {shape: b as number[], ...spec}});
  };
samples('Add Sub Multiply Maximum Minimum SquaredDifference Equal NotEqual Greater GreaterEqual Less LessEqual', twoOf);
samples('RealDiv FloorDiv Mod Pow Atan2', (name) => twoOf(name, {low: 0.4, high: 3}));
samples('LogicalAnd LogicalOr', (name) => twoOf(name, {dtype: 'bool', low: 0, high: 2}));
samples('AddN', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch);
  return listed(
    name,
    Array.from({length: draw.int(2, 3)}, () => shape),
  );
});
/** An op of a list of tensors. */
const listed = (name: string, shapes: readonly (readonly number[])[], attrs: object = {}): OpCase => ({
  inputs: Object.fromEntries(shapes.map((shape, i) => [i, {shape}])),
  attrs,
  run: (inputs) => engine().runKernel(name, Object.values(inputs) as never, attrs as never) as Tensor,
});
samples('Select', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch, draw.int(1, 4));
  const condition = draw.pick(shape, shape.slice(0, 1));
  return kernel(name, {condition: {shape: condition, dtype: 'bool', low: 0, high: 2}, t: {shape}, e: {shape}});
});
samples('Prelu', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch, draw.int(1, 4));
  return kernel(name, {x: {shape}, alpha: {shape: draw.pick(shape, narrower(draw, shape))}});
});

samples('Reshape', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch);
  // The factors in another grouping.
  const factors = shape.flatMap((size) => draw.pick([size], [size, 1], size % 2 ? [size] : [2, size / 2]));
  const grouped: number[] = [];
  for (const factor of factors) {
    if (grouped.length > 0 && draw.int(0, 1)) grouped.push((grouped.pop() as number) * factor);
    else grouped.push(factor);
  }
  return kernel(name, {x: {shape}}, {shape: grouped});
});
samples('ExpandDims', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch, draw.int(1, 4));
  return kernel(name, {input: {shape}}, {dim: draw.int(0, shape.length)});
});

const reduced =
  (name: string, attribute: string, spec: Partial<InputSpec> = {}): Sample =>
  (draw, batch) => {
    const shape = shapeOf(draw, batch);
    const axis = axisIn(draw, shape);
    // The gradient of a product does not take an axis that is counted from the end.
    const axes = draw.pick<unknown>(axesIn(draw, shape), name === 'Prod' ? Math.abs(axis) % shape.length : axis, null);
    return kernel(name, {x: {shape, ...spec}}, {[attribute]: axes, keepDims: draw.int(0, 1) === 1});
  };
samples('Sum Mean Prod Min', (name) => reduced(name, 'axis', {low: 0.5, high: 1.5}));
samples('All Any', (name) => reduced(name, 'axis', {dtype: 'bool', low: 0, high: 2}));
samples('Max', (name) => reduced(name, 'reductionIndices'));
samples('ArgMax ArgMin', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch);
  return kernel(name, {x: {shape}}, {axis: draw.int(0, shape.length - 1)});
});
samples('Softmax', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch);
  return kernel(name, {logits: {shape}}, {dim: shape.length - 1});
});
samples('Cumsum Cumprod', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch, draw.int(1, 4));
  const options = {exclusive: draw.int(0, 1) === 1, reverse: draw.int(0, 1) === 1};
  return kernel(name, {x: {shape}}, {axis: draw.int(0, shape.length - 1), ...options});
});
samples('Reverse', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch, draw.int(1, 4));
  return kernel(name, {x: {shape}}, {dims: axesIn(draw, shape)});
});
samples('LRN', (name) => (draw, batch) => {
  const attrs = {depthRadius: draw.int(1, 2), bias: 1, alpha: 0.5, beta: 0.6};
  return kernel(name, {x: {shape: shapeOf(draw, batch, 4)}}, attrs);
});
samples('OneHot', (name) => (draw, batch) => {
  const depth = draw.pick(3, batch, 2 * batch);
  const indices = {shape: shapeOf(draw, batch, draw.int(1, 4)), dtype: 'int32', low: 0, high: depth} as const;
  return kernel(name, {indices}, {dtype: 'float32', depth, onValue: 1, offValue: 0});
});

samples('Transpose', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch);
  const perm = shape.map((_, axis) => axis);
  for (let i = perm.length - 1; i > 0; i--) {
    const j = draw.int(0, i);
    [perm[i], perm[j]] = [perm[j] as number, perm[i] as number];
  }
  return kernel(name, {x: {shape}}, {perm});
});
samples('Concat', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch, draw.int(1, 4));
  const axis = draw.int(0, shape.length - 1);
  const lengths = [
    shape[axis] as number,
    ...Array.from({length: draw.int(1, 2)}, () => draw.pick(1, batch, 2 * batch)),
  ];
  return listed(
    name,
    lengths.map((length) => shape.map((size, i) => (i === axis ? length : size))),
    {axis},
  );
});
samples('Pack', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch, draw.int(1, 4));
  const shapes = Array.from({length: draw.pick(1, 2, batch)}, () => shape);
  return listed(name, shapes, {axis: draw.int(0, shape.length)});
});
samples('Unpack', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch, draw.int(2, 4));
  const axis = draw.int(0, shape.length - 1);
  shape[axis] = draw.int(1, 3);
  return kernel(name, {value: {shape}}, {axis: draw.pick(axis, axis - shape.length)});
});
samples('SplitV', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch, draw.int(1, 4));
  const axis = draw.int(0, shape.length - 1);
  const sizes = Array.from({length: draw.int(1, 3)}, () => draw.pick(1, batch, 2 * batch));
  shape[axis] = sizes.reduce((sum, size) => sum + size, 0);
  return kernel(name, {x: {shape}}, {numOrSizeSplits: sizes, axis});
});
samples('Slice', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch);
  const begin = shape.map((length) =>
    draw.pick(0, 0, length > batch ? batch : 0, length % batch ? draw.int(0, length - 1) : draw.int(0, length - batch)),
  );
  const size = shape.map((length, axis) => {
    const rest = length - (begin[axis] as number);
    return draw.pick(-1, rest, rest < batch ? draw.int(1, rest) : batch * draw.int(1, Math.floor(rest / batch)));
  });
  return kernel(name, {x: {shape}}, {begin, size});
});
const padded =
  (name: string, attrs: object, inputs: string): Sample =>
  (draw, batch) => {
    const shape = shapeOf(draw, batch, draw.int(1, 4));
    const paddings = shape.map((size) =>
      draw.int(0, 1) ? [0, 0] : [draw.pick(0, Math.min(1, size - 1)), draw.pick(0, size - 1)],
    );
    return kernel(name, {[inputs]: {shape}}, {paddings, ...attrs});
  };
samples('PadV2', (name) => padded(name, {constantValue: 0.5}, 'x'));
samples(
  'MirrorPad',
  (name) => (draw, batch) => padded(name, {mode: draw.pick('reflect', 'symmetric')}, 'x')(draw, batch),
);
samples('Tile', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch, draw.int(1, 4)).map((size) => draw.pick(size, 1));
  const reps = shape.map(() => draw.pick(1, 1, 2, batch, 2 * batch));
  for (let axis = 0; product(shape) * product(reps) > 2 * MOST; axis++) reps[axis] = 1;
  return kernel(name, {x: {shape}}, {reps});
});
samples('GatherV2', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch, draw.int(1, 3));
  const axis = draw.int(0, shape.length - 1);
  const indices = {shape: shapeOf(draw, batch, draw.int(1, 2)), low: 0, high: shape[axis] as number} as const;
  return kernel(name, {x: {shape}, indices: {...indices, dtype: 'int32'}}, {axis, batchDims: 0});
});

/** Two matrices, or batches of them, for a product, and for the bias of it. */
function factors(draw: Draw, batch: number, rank: number) {
  const outer = shapeOf(draw, batch, Math.max(1, rank - 2))
    .slice(0, rank - 2)
    .map((size) => Math.min(size, 2 * batch));
  const [m, inner, n] = [0, 1, 2].map(() => draw.pick(1, 2, batch, batch, 2 * batch)) as [number, number, number];
  const [transposeA, transposeB] = [draw.int(0, 1) === 1, draw.int(0, 1) === 1];
  const a = [...outer, ...(transposeA ? [inner, m] : [m, inner])];
  const b = [...outer, ...(transposeB ? [n, inner] : [inner, n])];
  // wasm takes a vector alone.
  const bias = draw.pick(
    undefined,
    [n],
    ...(getBackend() === 'wasm'
      ? []
      : [
          [m, n],
          [1, n],
          [m, 1],
        ]),
  );
  return {a, b, bias, transposeA, transposeB};
}
samples('BatchMatMul', (name) => (draw, batch) => {
  const {a, b, transposeA, transposeB} = factors(draw, batch, draw.int(2, 4));
  return kernel(name, {a: {shape: a}, b: {shape: b}}, {transposeA, transposeB});
});
samples('_FusedMatMul', (name) => (draw, batch) => {
  const {a, b, bias, transposeA, transposeB} = factors(draw, batch, 3);
  const inputs = {a: {shape: a}, b: {shape: b}, ...(bias?.length === 1 && {bias: {shape: bias}})};
  return kernel(name, inputs, {transposeA, transposeB, activation: 'linear'});
});
samples('fusedMatMul__op', () => (draw, batch) => {
  const {a, b, bias, ...transposes} = factors(draw, batch, draw.int(2, 3));
  return {
    inputs: {0: {shape: a}, 1: {shape: b}, ...(bias && {2: {shape: bias}})},
    attrs: transposes,
    run: ({0: x, 1: y, 2: z}) =>
      fused.matMul({a: x as Tensor, b: y as Tensor, ...(z && {bias: z}), ...transposes, activation: 'linear'}),
  };
});

/** An image and a filter for it. */
function image(draw: Draw, batch: number, dimensions: number) {
  const rows = batch * draw.pick(1, 1, 2);
  // Alike along all axes: for others the gradient of bilinear resizing has a wrong shape on cpu.
  const side = draw.pick(3, 4, batch + 1);
  const space = Array.from({length: dimensions}, () => side);
  const [channels, filters] = [draw.pick(1, 2, batch), draw.pick(1, 2, batch)];
  const window = space.map(() => draw.int(1, 2));
  const strides = draw.pick(
    space.map(() => 1),
    space.map(() => draw.int(1, 2)),
  );
  const pad = draw.pick('same', 'valid');
  return {x: [rows, ...space, channels], rows, space, channels, filters, window, strides, pad};
}
const none = {dataFormat: 'NHWC', dimRoundingMode: undefined};
samples('Conv2D', (name) => (draw, batch) => {
  const {x, window, channels, filters, strides, pad} = image(draw, batch, 2);
  const attrs = {strides, pad, dilations: 1, ...none};
  return kernel(name, {x: {shape: x}, filter: {shape: [...window, channels, filters]}}, attrs);
});
samples('Conv3D', (name) => (draw, batch) => {
  const {x, window, channels, filters, strides, pad} = image(draw, batch, 3);
  const attrs = {strides, pad, dilations: 1, ...none, dataFormat: 'NDHWC'};
  return kernel(name, {x: {shape: x}, filter: {shape: [...window, channels, filters]}}, attrs);
});
samples('DepthwiseConv2dNative', (name) => (draw, batch) => {
  const {x, window, channels, pad} = image(draw, batch, 2);
  const attrs = {strides: 1, pad, dilations: 1, ...none};
  return kernel(name, {x: {shape: x}, filter: {shape: [...window, channels, draw.int(1, 2)]}}, attrs);
});
samples('Dilation2D', (name) => (draw, batch) => {
  const {x, window, channels, pad} = image(draw, batch, 2);
  const attrs = {strides: 1, pad, dilations: 1};
  return kernel(name, {x: {shape: x}, filter: {shape: [...window, channels]}}, attrs);
});
const fusedConvolution =
  (depthwise: boolean, op: (config: object) => Tensor): Sample =>
  (draw, batch) => {
    const {x, rows, window, channels, filters, pad} = image(draw, batch, 2);
    const out = depthwise ? channels : filters;
    const filter = [...window, channels, depthwise ? 1 : filters];
    const bias = draw.pick(
      undefined,
      [out],
      ...(getBackend() === 'wasm'
        ? []
        : [
            [1, 1, 1, out],
            [rows, 1, 1, out],
          ]),
    );
    return {
      inputs: {0: {shape: x}, 1: {shape: filter}, ...(bias && {2: {shape: bias}})},
      attrs: {pad},
      run: ({0: images, 1: weights, 2: shift}) =>
        op({x: images, filter: weights, strides: 1, pad, ...(shift && {bias: shift}), activation: 'linear'}),
    };
  };
samples('fusedConv2d__op', () => fusedConvolution(false, (config) => fused.conv2d(config as never)));
samples('fusedDepthwiseConv2d__op', () => fusedConvolution(true, (config) => fused.depthwiseConv2d(config as never)));
samples('FusedConv2D FusedDepthwiseConv2D', (name) => (draw, batch) => {
  const {x, window, channels, filters, pad} = image(draw, batch, 2);
  const [out, last] = name.includes('Depthwise') ? [channels, 1] : [filters, filters];
  const inputs = {x: {shape: x}, filter: {shape: [...window, channels, last]}, bias: {shape: [out]}};
  return kernel(name, inputs, {strides: 1, pad, dilations: 1, ...none, activation: 'linear'});
});
samples('Conv2DBackpropInput Conv3DBackpropInputV2', (name) => (draw, batch) => {
  const {x: dy, rows, space, window, channels, filters} = image(draw, batch, name.includes('2D') ? 2 : 3);
  const inputShape = [rows, ...space.map((size, i) => size + (window[i] as number) - 1), filters];
  const attrs = {strides: space.map(() => 1), pad: 'valid', ...none, inputShape};
  return kernel(name, {dy: {shape: dy}, filter: {shape: [...window, filters, channels]}}, attrs);
});
samples('AvgPool MaxPool AvgPool3D MaxPool3D', (name) => (draw, batch) => {
  const {x, window, strides, pad} = image(draw, batch, name.endsWith('3D') ? 3 : 2);
  return kernel(name, {x: {shape: x}}, {filterSize: window, strides, pad, ...none, dataFormat: 'NDHWC'});
});
samples('DepthToSpace', (name) => (draw, batch) => {
  const shape = [batch * draw.int(1, 2), 2, draw.pick(2, batch), 4 * draw.pick(1, batch)];
  return kernel(name, {x: {shape}}, {blockSize: 2, dataFormat: 'NHWC'});
});
samples('ResizeBilinear ResizeNearestNeighbor', (name) => (draw, batch) => {
  const {x, space} = image(draw, batch, 2);
  // The gradient of tfjs for the nearest neighbour is wrong on cpu; ours is for whole factors.
  const size = space.map((length) => (name === 'ResizeBilinear' ? draw.int(2, 6) : length * draw.int(1, 3)));
  const alignCorners = name === 'ResizeBilinear' && draw.int(0, 1) === 1;
  return kernel(name, {images: {shape: x}}, {alignCorners, halfPixelCenters: false, size});
});
samples('FusedBatchNorm', (name) => (draw, batch) => {
  const shape = shapeOf(draw, batch, 4);
  const statistic = draw.pick(shape, shape.slice(-1));
  const [positive, any] = [{shape: statistic, low: 0.4, high: 2}, {shape: statistic}];
  const inputs = {x: {shape}, mean: any, variance: positive, scale: any, offset: any};
  return kernel(name, inputs, {varianceEpsilon: 0.01});
});

samples('logSoftmax__op', () => (draw, batch) => {
  const shape = shapeOf(draw, batch, draw.int(1, 4));
  return {inputs: {0: {shape}}, run: ({0: logits}) => logSoftmax(logits as Tensor)};
});
samples('softmaxCrossEntropy__op', () => (draw, batch) => {
  const shape = shapeOf(draw, batch, draw.int(2, 4));
  return {
    inputs: {0: {shape, low: 0}, 1: {shape}},
    run: ({0: labels, 1: logits}) =>
      losses.softmaxCrossEntropy(labels as Tensor, logits as Tensor, undefined, undefined, Reduction.NONE),
  };
});

/**
 * A generator of random cases for each op that the rules know, by the name that it has on a tape.
 */
export const OP_SAMPLES: ReadonlyMap<string, Sample> = SAMPLES;

/**
 * All places where rows may lie in tensors of these shapes: of the first by flat size alone, also
 * straddled; of the others with the same inner or outer size.
 */
export function placesIn(shapes: readonly (readonly number[])[], batchSize: number): Place[][] {
  const [first, ...others] = shapes.map((shape) => product(shape) / batchSize) as [number, ...number[]];
  if (![first, ...others].every(Number.isInteger)) return [];
  const factors = Array.from({length: first}, (_, i) => i + 1).filter((factor) => first % factor === 0);
  const divides = (factor: number) => others.every((rest) => rest % factor === 0);
  const alike = factors.filter(divides);
  const byInner = alike.map((inner) => [first, ...others].map((rest) => ({outer: rest / inner, inner})));
  if (others.length === 0) return byInner;
  return [...byInner, ...alike.map((outer) => [first, ...others].map((rest) => ({outer, inner: rest / outer})))];
}

/** The row that a flat position belongs to. */
export const rowAt = (position: number, {inner}: Place, batchSize: number): number =>
  Math.floor(position / inner) % batchSize;

/** The values of the kept rows, one by one. */
export function taken(values: ArrayLike<number>, {outer, inner}: Place, batchSize: number, rows: readonly number[]) {
  const cut: number[] = [];
  for (let round = 0; round < outer; round++) {
    for (const row of rows) {
      for (let i = 0; i < inner; i++) cut.push(values[(round * batchSize + row) * inner + i] as number);
    }
  }
  return cut;
}

export function addTo(sums: number[], position: number, value: number): void {
  sums[position] = (sums[position] as number) + value;
}

/** The values of the kept rows among zeros; those of a row that is kept twice are added. */
export function putBack(values: ArrayLike<number>, {outer, inner}: Place, batchSize: number, rows: readonly number[]) {
  const all = new Array<number>(outer * batchSize * inner).fill(0);
  let next = 0;
  for (let round = 0; round < outer; round++) {
    for (const row of rows) {
      for (let i = 0; i < inner; i++) addTo(all, (round * batchSize + row) * inner + i, values[next++] as number);
    }
  }
  return all;
}
