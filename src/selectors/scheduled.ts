import type {Tensor1D} from '@tensorflow/tfjs-core';
import {checkFunction, checkRatio, typeError} from '../checks';
import type {KeepSchedule, SelectionContext, Selector} from '../types';

const NAME = 'scheduled';

/** A selector whose keep ratio changes over training; its schedule is for the trainer, which threads the state of it. */
export interface ScheduledSelector<S = unknown> extends Selector {
  schedule: KeepSchedule<S>;
}

/**
 * Lets the keep ratio of a selector follow a schedule.
 *
 *     kept = makeSelector({ratio})(losses, context),   ratio = schedule.ratio(context.schedule, context.step)
 *
 * Most rules are too harsh for a network that has learned nothing: `scheduled(topK, linear({from: 1, to: 0.25, steps: 1000}))` begins
 * with the whole batch. Selectors with more options are a function away: `scheduled(({ratio}) => rankSampling({ratio, seed: 1}), …)`. `ohemStep` counts
 * the steps, and takes the state of a schedule with each batch, `step(xs, ys, {schedule: state})`; without them it is at the beginning.
 *
 * @param makeSelector  builds the selector for a keep ratio; it is called at every step, so it should do no more than that.
 * @param schedule  what the ratio is when: `constant`, `linear`, `window`, `accuracySteps`, or your own.
 * @returns a selector whose `K` is that of the ratio at this step, with the schedule as its `schedule`.
 * @throws TypeError if `makeSelector` is no function or gives no selector, or one with a schedule of its own, or `schedule` is none (when it
 *   is built); RangeError if a ratio is not in (0, 1] (when it is built or called).
 *
 * @example
 * const select = scheduled(topK, linear({from: 1, to: 0.25, steps: 1000}));
 * const losses = tf.tensor1d([0.1, 0.9, 0.3, 0.2]);
 * select(losses).indices.dataSync();   // Int32Array [1, 2, 3, 0]
 * select(losses, {step: 1000}).indices.dataSync();   // Int32Array [1]
 */
export function scheduled<S>(
  makeSelector: (keep: {ratio: number}) => Selector,
  schedule: KeepSchedule<S>,
): ScheduledSelector<S> {
  checkFunction(NAME, 'makeSelector', 'be a function from {ratio} to a selector', makeSelector, 'Pass topK.');
  checkSchedule(schedule);
  const selectorAt = ({step = 0, schedule: state}: SelectionContext) => {
    const ratio = schedule.ratio((state ?? schedule.init()) as S, {step});
    checkRatio(NAME, 'the ratio of the schedule', ratio);
    const selector = makeSelector({ratio});
    checkFunction(NAME, 'makeSelector', 'return a selector', selector, 'Pass topK.');
    if (selector.schedule) throw typeError(NAME, 'makeSelector', 'return a selector without a schedule', selector);
    return selector;
  };

  const {remember} = selectorAt({});
  const select: Selector = (losses, context = {}) => selectorAt(context)(losses, context);
  return Object.assign(
    select,
    {schedule},
    remember && {
      remember: (losses: Tensor1D, context: SelectionContext = {}) =>
        (selectorAt(context).remember ?? remember)(losses, context),
    },
  );
}

function checkSchedule(schedule: unknown): void {
  const parts = (schedule ?? {}) as Record<string, unknown>;
  if (!['init', 'ratio', 'next'].every((part) => typeof parts[part] === 'function')) {
    throw typeError(NAME, 'schedule', 'have init, ratio and next', schedule, 'Build one: constant(0.5).');
  }
}
