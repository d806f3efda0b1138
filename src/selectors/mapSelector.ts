import {Tensor, type Tensor1D} from '@tensorflow/tfjs-core';
import {checkFunction, typeError} from '../checks';
import type {Selection, SelectionContext, Selector} from '../types';
import type {ScheduledSelector} from './scheduled';
import {checkSelector, wrapper} from './selector';

const NAME = 'mapSelector';

/** Changes a selection, given the losses `float32[B]` and the context that led to it. */
export type SelectionMap = (selection: Selection, losses: Tensor1D, context: SelectionContext) => Selection;

/**
 * Applies a function to every selection of a selector, and keeps the state of the selector.
 *
 *     kept = f(selector(losses, context), losses, context)
 *
 * For wrappers: to log, to re-weight, to drop rows. A bare `(losses, context) => f(select(losses,
 * context))` loses the `remember` and the `schedule` that a trainer needs of `select`.
 *
 * @param selector  a selector, also one with state, or another map.
 * @param f  a pure function from the selection, the losses and the context to a selection. It runs off
 *   any gradient tape and in a `tidy`.
 * @returns a selector with the `remember` and the `schedule` of the given one.
 * @throws TypeError if `selector` or `f` is not a function (when it is built), or if `f` returns no
 *   selection or `losses` is not `float32[B]` (when it is called).
 *
 * @example
 * const halved = mapSelector(topK({k: 2}), ({indices, weights}) => ({indices, weights: tf.div(weights, 2)}));
 * halved(tf.tensor1d([0.1, 0.9, 0.3])).weights.dataSync();   // Float32Array [0.5, 0.5]
 */
export function mapSelector<S>(selector: ScheduledSelector<S>, f: SelectionMap): ScheduledSelector<S>;
export function mapSelector(selector: Selector, f: SelectionMap): Selector;
export function mapSelector(selector: Selector, f: SelectionMap): Selector {
  checkSelector(NAME, selector);
  checkFunction(NAME, 'f', 'be a function from a selection to a selection', f);
  const choose = (losses: Tensor1D, context: SelectionContext) => {
    const {indices, weights} = checked(f(selector(losses, context), losses, context));
    return {indices, weights};
  };
  return wrapper(NAME, choose, selector.remember, selector.schedule);
}

function checked(selection: Selection): Selection {
  const {indices, weights} = Object(selection) as Partial<Selection>;
  const isList = (tensor: unknown, dtype: string) =>
    tensor instanceof Tensor && tensor.rank === 1 && tensor.dtype === dtype && tensor.size === indices?.size;
  if (isList(indices, 'int32') && isList(weights, 'float32')) return selection;
  throw typeError(NAME, 'f', 'return {indices: int32[K], weights: float32[K]}', selection);
}
