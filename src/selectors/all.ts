import type {Selector} from '../types';
import {largest} from './selector';

/**
 * Keeps every example: ordinary training, as a selector.
 *
 *     kept = argsort(losses, descending)
 *
 * The control for mining: the same code path with every row kept. Equals `topK({ratio: 1})`.
 *
 * @returns a selector, `float32[B]` → `{indices: int32[B], weights: float32[B]}`, hardest first.
 * @throws TypeError if `losses` is not `float32[B]`.
 *
 * @example
 * all()(tf.tensor1d([0.1, 0.9, 0.3])).indices.dataSync();   // Int32Array [1, 2, 0]
 */
export const all = (): Selector => largest('all', {ratio: 1});
