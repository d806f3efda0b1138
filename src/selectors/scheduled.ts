import {checkFunction, checkRatio, typeError} from '../checks';
import type {KeepSchedule, SelectionContext, Selector} from '../types';
import {checkState, wrapper} from './selector';

const NAME = 'scheduled';

/** A selector whose keep ratio changes over training. */
export interface ScheduledSelector<S = unknown> extends Selector {
  schedule: KeepSchedule<S>;
}

/**
 * Makes the keep ratio of a selector follow a schedule.
 *
 *     kept = makeSelector({ratio})(losses, context),
 *     ratio = schedule.ratio(context.schedule, {step: context.step})
 *
 * Most rules are too harsh for an untrained network; the example starts with the whole batch. To
 * set options pass a function: `scheduled(({ratio}) => rankSampling({ratio, seed: 1}), …)`. The
 * trainers fill in the step and the state.
 *
 * @param makeSelector  builds the selector for a keep ratio; called at every step.
 * @param schedule  the ratio over training, such as `linear` or one of your own.
 * @returns a selector whose `K` follows the ratio at this step, with the schedule as its
 *   `schedule`. To call it by hand, pass a state in `context.schedule`, as in the example.
 * @throws TypeError if `makeSelector` or `schedule` is invalid, if a made selector has a schedule
 *   of its own, or if `context.schedule` is missing; RangeError if a ratio is not in (0, 1].
 *
 * @example
 * const select = scheduled(topK, linear({from: 1, to: 0.25, steps: 1000}));
 * const losses = tf.tensor1d([0.1, 0.9, 0.3, 0.2]);
 * const schedule = select.schedule.init();
 * select(losses, {schedule}).indices.dataSync();   // Int32Array [1, 2, 3, 0]
 * select(losses, {schedule, step: 1000}).indices.dataSync();   // Int32Array [1]
 */
export function scheduled<S>(
  makeSelector: (keep: {ratio: number}) => Selector,
  schedule: KeepSchedule<S>,
): ScheduledSelector<S> {
  checkFunction(NAME, 'makeSelector', 'be a function from {ratio} to a selector', makeSelector, 'Pass topK.');
  checkSchedule(schedule);
  const selectorAt = ({step = 0, schedule: state}: SelectionContext) => {
    checkState(NAME, 'schedule', state, '{schedule: select.schedule.init()}');
    const ratio = schedule.ratio(state as S, {step});
    checkRatio(NAME, 'the ratio of the schedule', ratio);
    const selector = makeSelector({ratio});
    checkFunction(NAME, 'makeSelector', 'return a selector', selector, 'Pass topK.');
    if (selector.schedule) throw typeError(NAME, 'makeSelector', 'return a selector without a schedule', selector);
    return selector;
  };

  const {remember, ...others} = selectorAt({schedule: schedule.init()});
  return wrapper(NAME, (losses, context) => selectorAt(context)(losses, context), {
    ...others,
    remember: remember && ((losses, context) => (selectorAt(context).remember ?? remember)(losses, context)),
    schedule: schedule as KeepSchedule,
  }) as ScheduledSelector<S>;
}

function checkSchedule(schedule: unknown): void {
  const parts = (schedule ?? {}) as Record<string, unknown>;
  if (!['init', 'ratio', 'next'].every((part) => typeof parts[part] === 'function')) {
    throw typeError(NAME, 'schedule', 'have init, ratio and next', schedule, 'Build one: constant(0.5).');
  }
  if ((schedule as KeepSchedule).init() !== undefined) return;
  throw typeError(NAME, 'schedule.init()', 'return a state', undefined, 'Without one return null.');
}
