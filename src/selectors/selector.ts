import {Tensor, type Tensor1D, type TensorContainer, tidy} from '@tensorflow/tfjs-core';
import {checkFunction, typeError} from '../checks';
import {offTape} from '../engine';
import type {Keep, KeepSchedule, Selection, SelectionContext, Selector} from '../types';
import {
  areFewOnHost,
  asFloat,
  checkSelectable,
  keepLargest,
  keepLargestOnHost,
  rankableFinite,
  selectable,
} from './ranking';

/** The arguments of a rule. */
export interface Batch {
  /** `float32[B]`, B >= 1 unless the selector accepts a batch without rows. */
  losses: Tensor1D;
  /** The rows that may be selected, `bool[B]`: valid, with a finite loss. */
  rows: Tensor1D;
  context: SelectionContext;
}

type OfBatch<T> = (batch: Batch) => T;
type OfLosses<T> = (losses: Tensor1D, context: SelectionContext) => T;

/** Builds a selector. Gradients treat the results of `choose` and `remember` as constants. */
export function selector(
  name: string,
  choose: OfBatch<Selection>,
  remember?: OfBatch<Tensor1D>,
  others: Omit<Carried, 'remember'> = {},
): Selector {
  const ofLosses =
    <T>(f: OfBatch<T>): OfLosses<T> =>
    (losses, context) =>
      f({
        losses,
        context,
        get rows() {
          return selectable(name, losses, context);
        },
      });
  return wrapper(name, ofLosses(choose), {...others, remember: remember && ofLosses(remember)});
}

/** The members of a selector, besides its choice, that a wrapper must keep. */
interface Carried {
  remember?: OfLosses<Tensor1D> | undefined;
  schedule?: KeepSchedule | undefined;
  needs?: Selector['needs'] | undefined;
  validation?: Selector['validation'] | undefined;
  store?: Selector['store'] | undefined;
  acceptsEmpty?: boolean | undefined;
}

/** Builds a selector that wraps another one and carries over its state and needs. */
export function wrapper(
  name: string,
  choose: OfLosses<Selection>,
  {remember, schedule, needs, validation, store, acceptsEmpty}: Carried,
): Selector {
  const carried = {remember: remember && constant(name, remember), schedule, needs, validation, store, acceptsEmpty};
  const given = Object.entries(carried).filter(([, value]) => value);
  return Object.assign(constant(name, choose, acceptsEmpty), Object.fromEntries(given));
}

/** Builds the selector that keeps the rows with the largest scores. */
export function largest(name: string, keep: Keep, score = (losses: Tensor1D) => losses): Selector {
  const choose = ({losses, context}: Batch): Selection => {
    const scores = score(losses);
    if (!areFewOnHost(losses)) return keepLargest(rankableFinite(name, scores, losses, context), keep, context);
    checkSelectable(name, losses, context);
    return keepLargestOnHost(scores, losses, keep, context);
  };
  const keepsAtLeast = keep.k ?? keep.minK;
  return Object.assign(selector(name, choose), {...(keepsAtLeast && {keepsAtLeast})});
}

/** Checks that an argument is a selector. */
export function checkSelector(where: string, inner: Selector, argument = 'selector'): void {
  checkFunction(where, argument, 'be a selector', inner, 'Build one: topK({ratio: 0.75}).');
}

/** Checks a context entry that the trainer carries from step to step. */
export function checkState(name: string, argument: 'memory' | 'schedule', value: unknown, first: string): void {
  if (value !== undefined) return;
  const remedy = `Pass ${first} with the first batch. To wrap the selector, use mapSelector, which keeps its state.`;
  throw typeError(name, argument, 'be in the context', value, remedy);
}

/** Wraps `f` to run off any gradient tape, in a `tidy`, with losses as `float32[B]`. */
function constant<T extends TensorContainer>(name: string, f: OfLosses<T>, acceptsEmpty?: boolean) {
  return (losses: Tensor1D, context: SelectionContext = {}): T =>
    offTape(() => tidy(() => f(floatLosses(name, losses, acceptsEmpty), context)));
}

function floatLosses(name: string, losses: Tensor1D, acceptsEmpty?: boolean): Tensor1D {
  if (!(losses instanceof Tensor && ['float32', 'int32', 'bool'].includes(losses.dtype))) {
    throw typeError(name, 'losses', 'be float32[B]', losses);
  }
  if (losses.rank !== 1 || (losses.size === 0 && !acceptsEmpty)) {
    const remedy = 'Reduce over every axis but the first.';
    throw typeError(name, 'losses', 'have shape [B] with B >= 1', losses.shape, remedy);
  }
  return asFloat(losses);
}
