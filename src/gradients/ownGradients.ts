import {clipByValue, equal, keep, matMul, reshape, sum, type Tensor, where, zerosLike} from '@tensorflow/tfjs-core';
import {type Attributes, type Gradients, offTape, type TapedOp} from '../engine';
import {gpuKernel, runGpuKernel, runsGpuKernels} from '../gpu';
import {columnSums} from '../rows';
import {activationGradient} from './activationGradients';
import {isSameShape} from './places';
import {fusedProduct, isUpsampling, stockGradient} from './rules';

/** An op to differentiate, with all rows or cut to some. */
interface Differentiated {
  op: TapedOp;
  saved: Tensor[];
  attrs: Attributes | undefined;
}

/**
 * Returns gradients of an op that improve on those of tfjs, a function per input; undefined for
 * most ops.
 *
 * They use only the saved tensors and `dy`, which may be cut to some rows.
 */
export function ownGradients({op, saved, attrs}: Differentiated, dy: Tensor): Gradients | undefined {
  if (op.kind === 'custom') return denseGradients(op, saved, dy);
  if (op.kind === 'copy' || !stockGradient(op.name)) return undefined;
  if (isProduct(op, attrs)) return productGradients(saved, dy);
  if (addsBias(op)) return {a: () => dy, b: () => columnSums(dy)};
  if (op.name === 'ClipByValue') return clippedGradient(saved, attrs, dy);
  if (op.name === 'Tile') return spreadGradient(op, attrs, dy);
  if (isUpsampling(op)) return upsamplingGradient(saved, dy);
  const ofActivation = activationGradient(op.name, saved[0], dy);
  if (ofActivation) return {x: () => ofActivation};
  return undefined;
}

/**
 * Differentiates the product of a dense layer, `a · b` or `a · b + bias`, without activation or
 * transposes.
 *
 * tfjs always computes the gradients of both factors. For the first layer of a model, a third of
 * the step would go to an unused gradient.
 */
function denseGradients(op: TapedOp, saved: Tensor[], dy: Tensor): Gradients | undefined {
  const kernel = fusedProduct(op)?.kernel;
  const attrs = kernel?.name === '_FusedMatMul' ? kernel.attrs : undefined;
  const [a, b, , bias] = saved as [Tensor, Tensor, Tensor, Tensor?];
  if (!isPlain(attrs) || b.rank !== 3 || b.shape[0] !== 1 || (bias && !isVectorOf(bias, dy))) return undefined;
  const dyRows = asMatrix(dy);
  return {
    0: () => reshape(matMul(dyRows, asMatrix(b), false, true), a.shape),
    1: () => reshape(matMul(asMatrix(a), dyRows, true), b.shape),
    ...(bias && {2: () => columnSums(dy)}),
  };
}

/** Whether the op multiplies two matrices, neither transposed. */
function isProduct({name, inputs: {a, b}}: TapedOp, attrs: Attributes | undefined): boolean {
  return name === 'BatchMatMul' && a?.rank === 2 && b?.rank === 2 && isPlain(attrs);
}

/** Whether a product transposes none of its factors. */
function isPlain(attrs: Attributes | undefined): boolean {
  return attrs !== undefined && !attrs.transposeA && !attrs.transposeB;
}

function productGradients(saved: Tensor[], dy: Tensor): Gradients {
  const [a, b] = saved as [Tensor, Tensor];
  return {a: () => matMul(dy, b, false, true), b: () => matMul(a, dy, true)};
}

/**
 * Lets each relu save its output in place of its input, if another op saves that output: a layer
 * after it does. The gradient, `dy · (x > 0)`, is the same, and only one of both is kept and cut.
 */
export function shareRelus(ops: readonly TapedOp[]): void {
  // The output itself may be disposed by now: a layer keeps what it returns, and nothing else.
  const saved = new Map(ops.flatMap((op) => op.saved.map((tensor) => [tensor.dataId, tensor] as const)));
  for (const op of ops) {
    if (op.kind !== 'kernel' || op.name !== 'Relu' || op.saved.length !== 1 || !stockGradient(op.name)) continue;
    const [output] = op.outputs;
    const copy = output && saved.get(output.dataId);
    if (!copy) continue;
    op.saved[0]?.dispose();
    op.saved[0] = keep(offTape(() => reshape(copy, output.shape)));
  }
}

/** Whether a bias has one number per column. */
const isVectorOf = (bias: Tensor, dy: Tensor) => bias.rank === 1 && bias.size === dy.shape.at(-1);

/** Whether the op adds a vector to each row of a tensor. */
function addsBias({name, inputs: {a, b}, outputs: [sums]}: TapedOp): boolean {
  if (name !== 'Add' || a?.dtype !== 'float32' || b?.dtype !== 'float32') return false;
  return b.rank === 1 && a.rank > 1 && b.size === a.shape.at(-1) && a.size === sums?.size;
}

/**
 * Differentiates a tile of axes of size 1, as in layer normalisation. tfjs adds up a slice for each
 * repetition.
 */
function spreadGradient({inputs: {x}}: TapedOp, attrs: Attributes | undefined, dy: Tensor): Gradients | undefined {
  const {shape} = x as Tensor;
  const axes = ((attrs?.reps ?? []) as number[]).flatMap((count, axis) => (count === 1 ? [] : [axis]));
  return axes.every((axis) => shape[axis] === 1) ? {x: () => sum(dy, axes, true)} : undefined;
}

/**
 * Differentiates a clip. tfjs compares with both limits and combines the masks, in every gate of a
 * recurrent layer.
 */
export function clippedGradient([x]: Tensor[], attrs: Attributes | undefined, dy: Tensor): Gradients {
  const {clipValueMin, clipValueMax} = attrs as {clipValueMin: number; clipValueMax: number};
  const inside = x as Tensor;
  if (runsGpuKernels()) {
    return {x: () => runGpuKernel(CLIPPED, [dy, inside], dy.shape, [], [clipValueMin, clipValueMax])};
  }
  return {x: () => where(equal(clipByValue(inside, clipValueMin, clipValueMax), inside), dy, zerosLike(dy))};
}

/** The gradient of a clip: 0 outside the limits. */
const CLIPPED = /* @__PURE__ */ gpuKernel({
  name: 'OhemClipped',
  inputs: ['Dy', 'X'],
  dtype: 'float32',
  floats: ['least', 'most'],
  code: `
    float x = XHere;
    float gradient = 0.0;
    if (x >= least && x <= most) { gradient = DyHere; }
    setOutput(gradient);`,
  packed: `
    vec4 x = XHere;
    vec4 dy = DyHere;
    setOutput(vec4(${['x', 'y', 'z', 'w'].map((i) => `x.${i} >= least && x.${i} <= most ? dy.${i} : 0.0`)}));`,
});

/**
 * Differentiates upsampling by whole factors. The tfjs kernel is wrong on cpu for more than one
 * row.
 */
function upsamplingGradient([images]: Tensor[], dy: Tensor): Gradients {
  const [rows, height, width, channels] = (images as Tensor).shape as [number, number, number, number];
  const [newHeight, newWidth] = [dy.shape[1] as number, dy.shape[2] as number];
  const blocks = [rows * height, newHeight / height, width, (newWidth / width) * channels];
  return {
    images: () => {
      const overRows = sum(reshape(dy, blocks), 1);
      const overColumns = sum(reshape(overRows, [rows * height, width, newWidth / width, channels]), 2);
      return reshape(overColumns, [rows, height, width, channels]);
    },
  };
}

function asMatrix(tensor: Tensor): Tensor {
  const columns = tensor.shape.at(-1) as number;
  const shape = [tensor.size / columns, columns];
  return isSameShape(tensor.shape, shape) ? tensor : reshape(tensor, shape);
}
