/** @file Helpers for rules that keep all rows and weight them. */

import {
  where as chooseEach,
  greater,
  isFinite as isFiniteTensor,
  logicalAnd,
  mul,
  type Tensor1D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {typeError} from '../checks';
import {takeRows} from '../rows';
import type {Selection} from '../types';
import {keepLargest, rankable} from './ranking';
import {type Batch, checkState} from './selector';

/** Keeps all selectable rows with a positive weight, hardest first; `K` is `B`. */
export function weighAll({losses, rows}: Batch, weights: Tensor1D): Selection {
  const counted = logicalAnd(rows, logicalAnd(isFiniteTensor(weights), greater(weights, 0))) as Tensor1D;
  const {indices, weights: isKept} = keepLargest(rankable(losses, counted), {k: losses.size});
  const known = chooseEach(counted, weights, zerosLike(weights)) as Tensor1D;
  return {indices, weights: mul(isKept, takeRows(known, indices))};
}

/** Checks the memory of a rule: `float32[size]`, or null before the first batch. */
export function checkedMemory(name: string, {context: {memory}}: Batch, size: number): Tensor1D | null {
  checkState(name, 'memory', memory, '{memory: null}');
  if (memory === null || (memory?.dtype === 'float32' && String(memory.shape) === String([size]))) return memory;
  throw typeError(name, 'memory', 'be null or what remember() returned for the batch before', memory);
}
