import {add, type NamedTensorMap, reshape, scalar, Tensor, tidy, type Variable, zeros} from '@tensorflow/tfjs-core';
import {typeError} from '../checks';
import {type KeptRows, keptRows} from './keptRows';
import {ownGradients} from './ownGradients';
import {type NodePlan, type RowAxis, type RowCut, readsValues} from './rowPlan';
import {putRows} from './rows';
import type {TapeNode} from './tape';

/** A gradient with respect to a whole tensor; or, where it has a place for rows, to the rows that were kept alone. */
type Gradient = {value: Tensor; rows: RowAxis | undefined};

/** What stays the same from node to node. */
interface Walk {
  cut: RowCut | undefined;
  kept: KeptRows | undefined;
  /** Whether gradients that tfjs computes wastefully are computed in our way, or as they were recorded. */
  products: 'as needed' | 'as recorded';
}

const TAKE_ROWS = 'ohem: take rows';

/** Stands on a tape for taking rows of a tensor, `[B, …] → [K, …]`, which no op of tfjs does so that it could be differentiated everywhere. */
export function takeRowsNode(tensor: Tensor, taken: Tensor): TapeNode {
  return {kernelName: TAKE_ROWS, inputs: {x: tensor}, outputs: [taken]};
}

/**
 * Walks a tape backward from a scalar to variables, and computes the gradients that lead to one of them, and no others.
 *
 * Gradients of kept rows stay as small as they are while the plan allows; at an op that is not row-wise they are put back among
 * zeros, and go on with all rows.
 */
export function walkBack(
  nodes: readonly TapeNode[],
  y: Tensor,
  variables: Variable[],
  cut?: RowCut,
  products: Walk['products'] = 'as needed',
): NamedTensorMap {
  const needed = dependents(nodes, variables);
  const walk: Walk = {cut, kept: cut && keptRows(nodes, cut), products};
  const gradients = new Map<number, Gradient>([[y.id, {value: scalar(1), rows: undefined}]]);
  try {
    for (let i = nodes.length - 1; i >= 0; i--) {
      const node = nodes[i] as TapeNode;
      const dys = node.outputs.map(({id}) => gradients.get(id));
      const wanted = Object.keys(node.inputs).filter((name) => needed.has((node.inputs[name] as Tensor).id));
      if (wanted.length === 0 || dys.every((dy) => dy === undefined)) continue;
      const found = nodeGradients(node, dys, wanted, cut?.plan?.[i], walk);
      walk.kept?.release(i);
      for (const name of wanted) {
        const tensor = node.inputs[name] as Tensor;
        const [before, next] = [gradients.get(tensor.id), found[name] as Gradient];
        gradients.set(tensor.id, before ? sumOf(before, next, tensor, cut) : next);
      }
      for (const dy of dys) dy?.value.dispose();
    }
  } finally {
    walk.kept?.release(0);
  }
  const named = variables.map((variable) => [variable.name, gradients.get(variable.id)?.value] as const);
  return Object.fromEntries(named.filter((entry): entry is [string, Tensor] => entry[1] !== undefined));
}

/** The tensors that depend on a variable, by their ids. */
export function dependents(nodes: readonly TapeNode[], variables: Variable[]): ReadonlySet<number> {
  const ids = new Set(variables.map(({id}) => id));
  for (const {inputs, outputs} of nodes) {
    if (Object.values(inputs).some(({id}) => ids.has(id))) for (const {id} of outputs) ids.add(id);
  }
  return ids;
}

/** The gradients of a node's inputs, each a tensor of its own; what is made on the way is gone. */
function nodeGradients(
  node: TapeNode,
  dys: (Gradient | undefined)[],
  wanted: string[],
  plan: NodePlan | undefined,
  {cut, kept, products}: Walk,
): Record<string, Gradient> {
  if (node.kernelName === TAKE_ROWS) {
    const {value} = dys[0] as Gradient;
    return {x: {value: reshape(value, value.shape), rows: {axis: 0, perRow: 1}}};
  }
  const isCut = cut && kept && plan?.isRowwise && dys.every((dy) => dy === undefined || dy.rows);
  const computed = tidy(() => {
    const values = isCut
      ? cutDys(node, dys, plan, cut)
      : dys.map((dy, i) => dy && whole(dy, node.outputs[i] as Tensor, cut));
    const saved = (node.saved ?? []).map((tensor, i) => (isCut ? cutSaved(node, i, plan.saved[i], cut, kept) : tensor));
    return distinct(compute(node, saved, values, wanted, products), [...values, ...saved]);
  });
  return Object.fromEntries(
    wanted.map((name) => [name, {value: computed[name] as Tensor, rows: isCut ? plan.inputs[name] : undefined}]),
  );
}

/** The gradients of a node's outputs for the kept rows; zeros for outputs that nothing came from. */
function cutDys(node: TapeNode, dys: (Gradient | undefined)[], plan: NodePlan, {rows}: RowCut): Tensor[] {
  return dys.map(
    (dy, i) => dy?.value ?? zeros(shapeFor(node.outputs[i] as Tensor, plan.outputs[i] as RowAxis, rows.size)),
  );
}

/** Views in place of tensors that a gradient function only passed on, or gave twice: each of ours is disposed once. */
function distinct(gradients: Record<string, Tensor>, given: (Tensor | undefined)[]): Record<string, Tensor> {
  const seen = new Set<Tensor | undefined>(given);
  return Object.fromEntries(
    Object.entries(gradients).map(([name, gradient]) => {
      const isOwn = !seen.has(gradient);
      seen.add(gradient);
      return [name, isOwn ? gradient : reshape(gradient, gradient.shape)];
    }),
  );
}

/** Computes the gradients of a node from these saved tensors in the place of its own. */
function compute(
  node: TapeNode,
  saved: Tensor[],
  dys: (Tensor | undefined)[],
  wanted: string[],
  products: Walk['products'],
): Record<string, Tensor> {
  const {kernelName, gradient} = node;
  const evaluated = (functions: Record<string, () => Tensor>) =>
    Object.fromEntries(wanted.map((name) => [name, (functions[name] as () => Tensor)()]));
  const own = products === 'as needed' ? ownGradients(node, saved, dys[0] as Tensor) : undefined;
  if (own) return evaluated(own);
  if (!gradient) {
    throw typeError(
      'ohemStep',
      'model and loss',
      'be made of ops that have a gradient',
      kernelName,
      'tfjs has none for this op.',
    );
  }
  const recorded = [...(node.saved ?? [])];
  // The gradient reads the very list that the tape has; the tape disposes its own tensors afterwards.
  node.saved?.splice(0, recorded.length, ...saved);
  try {
    return evaluated(gradient(dys as Tensor[]));
  } finally {
    node.saved?.splice(0, recorded.length, ...recorded);
  }
}

/** The kept rows of a saved tensor; where only its shape is looked at, a tensor of that shape over the same data. */
function cutSaved(
  {kernelName, saved = []}: TapeNode,
  index: number,
  place: RowAxis | undefined,
  {rows, batchSize}: RowCut,
  kept: KeptRows,
): Tensor {
  const tensor = saved[index] as Tensor;
  if (!place) return tensor;
  const shape = shapeFor(tensor, place, rows.size);
  const isShapeOnly = !readsValues(kernelName, index) && rows.size <= batchSize;
  return isShapeOnly ? new Tensor(shape, tensor.dtype, tensor.dataId, tensor.id) : reshape(kept.of(tensor), shape);
}

function shapeFor(tensor: Tensor, {axis, perRow}: RowAxis, rowCount: number): number[] {
  return tensor.shape.map((size, i) => (i === axis ? perRow * rowCount : size));
}

function whole({value, rows: place}: Gradient, tensor: Tensor, cut: RowCut | undefined): Tensor {
  if (!place || !cut) return value;
  const {rows, batchSize} = cut;
  return reshape(putRows(reshape(value, [rows.size, value.size / rows.size]), rows, batchSize), tensor.shape);
}

/** The sum of two gradients of a tensor, which are disposed. */
function sumOf(one: Gradient, other: Gradient, tensor: Tensor, cut: RowCut | undefined): Gradient {
  const isAlike = Boolean(one.rows) === Boolean(other.rows);
  const value = tidy(() =>
    isAlike ? add(one.value, other.value) : add(whole(one, tensor, cut), whole(other, tensor, cut)),
  );
  one.value.dispose();
  other.value.dispose();
  return {value, rows: isAlike ? one.rows : undefined};
}
