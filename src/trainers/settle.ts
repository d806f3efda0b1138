import {
  argMax,
  cast,
  where as chooseEach,
  clone,
  expandDims,
  gather,
  greater,
  logicalAnd,
  Tensor,
  type Tensor1D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {checkValues, shapeText, typeError} from '../checks';
import {takeRows} from '../gradients/rows';
import type {Selection, Selector} from '../types';

/**
 * Makes a selection safe to train on: it is checked, rows that may not be used get weight 0, and in their places other rows
 * are computed, so that nothing that is not finite enters the backward pass even times 0.
 *
 * @param usable  `bool[B]`: the rows that are valid and finite.
 */
export function settle(where: string, selection: Selection, usable: Tensor): {selection: Selection; rows: Tensor1D} {
  checkSelection(where, selection, usable.size);
  const {indices, weights} = selection;
  const isUsed = logicalAnd(cast(takeRows(cast(usable, 'int32'), indices), 'bool'), greater(weights, 0));
  const safeWeights = chooseEach(isUsed, weights, zerosLike(weights)) as Tensor1D;
  const standIn = gather(indices, expandDims(argMax(safeWeights), 0));
  const rows = chooseEach(isUsed, indices, standIn) as Tensor1D;
  return {selection: {indices: clone(indices), weights: safeWeights}, rows};
}

/** Checks, when a trainer is built, that it was given a selector. */
export function checkSelector(where: string, select: Selector): void {
  if (typeof select !== 'function') {
    throw typeError(where, 'select', 'be a selector', select, 'Build one: topK({ratio: 0.75}).');
  }
}

/** Checks that a selection is `{indices: int32[K], weights: float32[K]}`; its values only where that waits for nothing. */
export function checkSelection(where: string, selection: Selection, batchSize: number): void {
  const {indices, weights} = selection ?? {};
  if (!(indices instanceof Tensor && weights instanceof Tensor)) {
    throw typeError(where, 'select', 'return tensors {indices, weights}', selection);
  }
  if (indices.dtype !== 'int32' || indices.rank !== 1 || indices.size === 0) {
    const remedy = 'Row numbers are integers, as tf.topk gives them.';
    throw typeError(
      where,
      'select',
      'return indices int32[K] with K >= 1',
      `${indices.dtype}${shapeText(indices.shape)}`,
      remedy,
    );
  }
  if (weights.dtype !== 'float32' || weights.rank !== 1 || weights.size !== indices.size) {
    const constraint = `return weights float32[${indices.size}], one for each index`;
    throw typeError(where, 'select', constraint, `${weights.dtype}${shapeText(weights.shape)}`);
  }
  checkValues(
    where,
    'select',
    `return indices from 0 to ${batchSize - 1}`,
    indices,
    (row) => row >= 0 && row < batchSize,
  );
  checkValues(
    where,
    'select',
    'return finite weights >= 0',
    weights,
    (weight) => Number.isFinite(weight) && weight >= 0,
  );
}
