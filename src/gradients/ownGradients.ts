import {matMul, reshape, sum, type Tensor} from '@tensorflow/tfjs-core';
import {columnSums} from './columnSums';
import type {TapeNode} from './tape';

type Gradients = Record<string, () => Tensor>;

/**
 * Gives gradients of a node that are better than those it was recorded with, one function for each input; undefined for most nodes.
 *
 * They take the saved tensors and `dy` as given, which may be those of some rows only.
 */
export function ownGradients(node: TapeNode, saved: Tensor[], dy: Tensor): Gradients | undefined {
  if (isFusedMatMul(node)) return fusedMatMulGradients(saved, dy);
  if (addsBias(node)) return {a: () => dy, b: () => columnSums(dy)};
  const spread = node.kernelName === 'Tile' ? spreadAxes(node) : undefined;
  return spread && {x: () => sum(dy, spread, true)};
}

/**
 * The product of a dense layer, `a · b` or `a · b + bias`, without activation or transposes.
 *
 * tfjs records it as a custom gradient, which always computes the gradients of both factors: for the first layer of a model that is a
 * third of the whole step, for a gradient that nobody asked for.
 */
function isFusedMatMul({kernelName, saved = [], inputs}: TapeNode): boolean {
  const [a, b, y, bias] = saved;
  if (!kernelName.startsWith('fusedMatMul') || !a || !b || !y || a.rank !== 3 || b.rank !== 3 || b.shape[0] !== 1)
    return false;
  const fits = a.shape[2] === b.shape[1] && y.shape.at(-2) === a.shape[1] && y.shape.at(-1) === b.shape[2];
  return fits && Object.keys(inputs).length === (bias ? 3 : 2) && (!bias || bias.rank === 1);
}

function fusedMatMulGradients([a, b, , bias]: Tensor[], dy: Tensor): Gradients {
  const [left, right] = [a as Tensor, b as Tensor];
  const dyRows = asMatrix(dy);
  return {
    0: () => reshape(matMul(dyRows, asMatrix(right), false, true), left.shape),
    1: () => reshape(matMul(asMatrix(left), dyRows, true), right.shape),
    ...(bias && {2: () => columnSums(dy)}),
  };
}

/** Whether a vector is added to all rows of something. */
function addsBias({kernelName, inputs: {a, b}, outputs: [sums]}: TapeNode): boolean {
  if (kernelName !== 'Add' || a?.dtype !== 'float32' || b?.dtype !== 'float32') return false;
  return b.rank === 1 && a.rank > 1 && b.size === a.shape.at(-1) && a.size === sums?.size;
}

function asMatrix(tensor: Tensor): Tensor {
  const columns = tensor.shape[tensor.rank - 1] as number;
  return reshape(tensor, [tensor.size / columns, columns]);
}

/**
 * The axes along which a tile repeats single entries, as layer normalisation does with its weights for every row; undefined for a tile that
 * repeats more than that. tfjs adds up one slice for each repetition.
 */
export function spreadAxes({inputs, outputs}: TapeNode): number[] | undefined {
  const [before, after] = [(inputs.x as Tensor).shape, (outputs[0] as Tensor).shape];
  const axes = before.flatMap((size, axis) => (size === after[axis] ? [] : [axis]));
  return axes.every((axis) => before[axis] === 1) ? axes : undefined;
}
