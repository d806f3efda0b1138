import {Tensor, type Tensor1D} from '@tensorflow/tfjs-core';
import {checkFunction, typeError} from '../checks';
import type {Selection, SelectionContext, Selector} from '../types';
import type {ScheduledSelector} from './scheduled';
import {checkSelector, wrapper} from './selector';

const NAME = 'mapSelector';

/** Maps a selection to another one, given the losses `float32[B]` and the context. */
export type SelectionMap = (selection: Selection, losses: Tensor1D, context: SelectionContext) => Selection;

/**
 * Applies a function to every selection of a selector, and keeps the selector's state.
 *
 *     kept = f(selector(losses, context), losses, context)
 *
 * For wrappers that log, re-weight or drop rows. A bare
 * `(losses, context) => select(losses, context)` loses `remember`, `schedule`, `store`, and the
 * selector's `needs`.
 *
 * @param selector  a selector; it may have state or be the result of another `mapSelector`.
 * @param f  a pure function that returns a selection. It runs in a `tidy`, off any gradient tape.
 * @returns a selector with the `remember`, `schedule`, `store` and `needs` of the given one.
 * @throws TypeError if an argument is not a function, or `f` does not return a selection.
 *
 * @example
 * const half = ({indices, weights}) => ({indices, weights: tf.div(weights, 2)});
 * mapSelector(topK({k: 1}), half)(tf.tensor1d([1, 2])).weights;   // float32 [0.5]
 */
export function mapSelector<S>(selector: ScheduledSelector<S>, f: SelectionMap): ScheduledSelector<S>;
export function mapSelector(selector: Selector, f: SelectionMap): Selector;
export function mapSelector(selector: Selector, f: SelectionMap): Selector {
  checkSelector(NAME, selector);
  checkFunction(NAME, 'f', 'be a function from a selection to a selection', f);
  const choose = (losses: Tensor1D, context: SelectionContext) => {
    const given = selector(losses, context);
    const {indices, weights} = checked(f(given, losses, context));
    const {threshold} = given;
    if (!threshold) return {indices, weights};
    if (indices === given.indices && weights === given.weights) return {indices, weights, threshold};
    const remedy = 'Other shards count the rows that this one keeps.';
    throw typeError(NAME, 'f', 'return a selection over shards as it is', 'another one', remedy);
  };
  return wrapper(NAME, choose, selector);
}

function checked(selection: Selection): Selection {
  const {indices, weights} = Object(selection) as Partial<Selection>;
  const isList = (tensor: unknown, dtype: string) =>
    tensor instanceof Tensor && tensor.rank === 1 && tensor.dtype === dtype && tensor.size === indices?.size;
  if (isList(indices, 'int32') && isList(weights, 'float32')) return selection;
  throw typeError(NAME, 'f', 'return {indices: int32[K], weights: float32[K]}', selection);
}
