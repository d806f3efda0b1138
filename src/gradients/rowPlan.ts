import type {Tensor, Tensor1D} from '@tensorflow/tfjs-core';
import {spreadAxes} from './ownGradients';
import type {TapeNode} from './tape';

/** Where the rows of a batch lie in a tensor: along an axis with nothing before it, each taking `perRow` places. */
export interface RowAxis {
  axis: number;
  perRow: number;
}

/** What a backward pass over some of the rows may do with an op of the forward pass. */
export interface NodePlan {
  kernelName: string;
  /** Whether its gradient can be taken for some rows alone, from saved tensors cut to them. */
  isRowwise: boolean;
  /** Where rows lie in what it saved; undefined for what does not depend on the batch. */
  saved: (RowAxis | undefined)[];
  /** Where they lie in each input, by name. */
  inputs: Record<string, RowAxis | undefined>;
  outputs: (RowAxis | undefined)[];
  /** Whether any input depends on the batch, wherever its rows lie. */
  takesRows: boolean;
  /** The same for its outputs. */
  givesRows: boolean;
}

/** How rows run through a model, op by op, as two forward passes over batches of different size have shown it. */
export type RowPlan = readonly NodePlan[];

/** Which rows of the batch gradients flow back to, and what is known of the way. */
export interface RowCut {
  /** `int32[K]` */
  rows: Tensor1D;
  batchSize: number;
  /** Of the first nodes of the tape; without it all gradients are those of the whole batch. */
  plan: RowPlan | undefined;
}

/**
 * Ops whose gradient for some rows needs nothing but those rows of what they save: element by element, row by row, or with weights that all
 * rows share. What is not in the list keeps sizes elsewhere (slices, tiles), or is not known: it gets the gradients of all rows.
 */
const ROWWISE = new Set([
  'Abs',
  'Add',
  'AddN',
  'AvgPool',
  'AvgPool3D',
  'BatchMatMul',
  'Cast',
  'ClipByValue',
  'Concat',
  'Conv2D',
  'Conv2DBackpropInput',
  'Conv3D',
  'Cos',
  'DepthwiseConv2dNative',
  'Elu',
  'Erf',
  'Exp',
  'ExpandDims',
  'Expm1',
  'FusedBatchNorm',
  'GatherV2',
  'Identity',
  'LRN',
  'LeakyRelu',
  'Log',
  'Log1p',
  'LogSoftmax',
  'Max',
  'MaxPool',
  'MaxPool3D',
  'Maximum',
  'Mean',
  'Min',
  'Minimum',
  'MirrorPad',
  'Multiply',
  'Neg',
  'Pack',
  'PadV2',
  'Pow',
  'Prelu',
  'RealDiv',
  'Reciprocal',
  'Relu',
  'Relu6',
  'Reshape',
  'Rsqrt',
  'Select',
  'Selu',
  'Sigmoid',
  'Sin',
  'Softmax',
  'Softplus',
  'SplitV',
  'Sqrt',
  'Square',
  'SquaredDifference',
  'Step',
  'Sub',
  'Sum',
  'Tanh',
  'Tile',
  'Transpose',
  'Unpack',
]);

/** Products that tfjs records as custom gradients, under these scopes; what their gradients use is saved. */
const FUSED = /^fused(MatMul|Conv2d|DepthwiseConv2d)/;

/** Ops that look at the shapes of what they save, and not at the values. */
const NEEDS_SHAPES_ONLY = new Set([
  'Add',
  'AddN',
  'Concat',
  'ExpandDims',
  'Mean',
  'Pack',
  'PadV2',
  'Reshape',
  'Sub',
  'Sum',
]);

/** Says whether the gradient of an op reads the values of a saved tensor, or its shape alone. */
export function readsValues(kernelName: string, savedIndex: number): boolean {
  // Third, a fused product saves its output, for activations other than the linear one that it is recorded with.
  return !NEEDS_SHAPES_ONLY.has(kernelName) && !(FUSED.test(kernelName) && savedIndex === 2);
}

/**
 * Makes a plan from the tapes of two forward passes over `small` and over `large` rows; undefined where they differ in more than sizes.
 *
 * A tensor whose shape differs between them is bound to rows, and the axis that differs is its row axis. So weights are told from activations
 * without guessing, also a square weight with as many rows as the batch.
 */
export function planRows(
  tapeOfSmall: readonly TapeNode[],
  small: number,
  tapeOfLarge: readonly TapeNode[],
  large: number,
): RowPlan | undefined {
  if (tapeOfSmall.length !== tapeOfLarge.length) return undefined;
  const plan: NodePlan[] = [];
  for (const [i, node] of tapeOfSmall.entries()) {
    const other = tapeOfLarge[i] as TapeNode;
    if (node.kernelName !== other.kernelName || node.saved?.length !== other.saved?.length) return undefined;
    plan.push(planNode(node, small, other, large));
  }
  return plan;
}

function planNode(node: TapeNode, small: number, other: TapeNode, large: number): NodePlan {
  let isRowwise = ROWWISE.has(node.kernelName) || FUSED.test(node.kernelName);
  const place = (a: Tensor | undefined, b: Tensor | undefined): RowAxis | undefined => {
    const found = rowAxis(a?.shape ?? [], small, b?.shape ?? [], large);
    if (found === 'elsewhere') isRowwise = false;
    return found === 'elsewhere' ? undefined : found;
  };
  const outputs = node.outputs.map((output, i) => place(output, other.outputs[i]));
  const inputs = Object.fromEntries(
    Object.keys(node.inputs).map((name) => [name, place(node.inputs[name], other.inputs[name])]),
  );
  const saved = (node.saved ?? []).map((tensor, i) => place(tensor, other.saved?.[i]));
  // Other tiles keep the number of repetitions where it cannot be cut.
  if (node.kernelName === 'Tile' && !spreadAxes(node)) isRowwise = false;
  // What takes rows and gives none mixes them: a mean over the batch.
  if (!outputs.every((output) => output !== undefined)) isRowwise = false;
  const differs = (a: Tensor | undefined, b: Tensor | undefined) => String(a?.shape) !== String(b?.shape);
  const takesRows = Object.keys(node.inputs).some((name) => differs(node.inputs[name], other.inputs[name]));
  const givesRows = node.outputs.some((output, i) => differs(output, other.outputs[i]));
  return {kernelName: node.kernelName, isRowwise, saved, inputs, outputs, takesRows, givesRows};
}

function rowAxis(a: number[], small: number, b: number[], large: number): RowAxis | undefined | 'elsewhere' {
  const differing = a.flatMap((size, axis) => (size === b[axis] ? [] : [axis]));
  if (a.length !== b.length || differing.length > 1) return 'elsewhere';
  const [axis] = differing;
  if (axis === undefined) return undefined;
  const perRow = (a[axis] as number) / small;
  const isLeading = a.slice(0, axis).every((size) => size === 1);
  return isLeading && Number.isInteger(perRow) && b[axis] === perRow * large ? {axis, perRow} : 'elsewhere';
}

/** Says whether a tape is the one that was planned for, with `batchSize` rows. */
export function matchesPlan(plan: RowPlan, nodes: readonly TapeNode[], batchSize: number): boolean {
  return (
    nodes.length === plan.length &&
    plan.every(({kernelName, saved, outputs}, i) => {
      const node = nodes[i] as TapeNode;
      const fits = (place: RowAxis | undefined, tensor: Tensor | undefined) =>
        !place || tensor?.shape[place.axis] === place.perRow * batchSize;
      return (
        node.kernelName === kernelName &&
        (node.saved?.length ?? 0) === saved.length &&
        saved.every((place, j) => fits(place, node.saved?.[j])) &&
        outputs.every((place, j) => fits(place, node.outputs[j]))
      );
    })
  );
}
