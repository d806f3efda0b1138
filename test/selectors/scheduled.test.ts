import * as tf from '@tensorflow/tfjs-core';
import {
  accuracySteps,
  constant,
  type KeepSchedule,
  linear,
  percentileSampling,
  rankSampling,
  type SelectionContext,
  scheduled,
  topK,
  window,
} from 'ohem-tfjs';
import {expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {marks, selected} from '../support/selections';
import {leftBy, valuesOf} from '../support/tensors';

/** State of a schedule that has none. */
const NONE = {schedule: null};
const EIGHT = [0.3, 0.9, 0.1, 0.5, 0.7, 0.2, 0.8, 0.6];

describeOnBackends('scheduled', () => {
  it('keeps the share of the step, by the selector that is built for it', () => {
    const select = scheduled(topK, linear({from: 1, to: 0.25, steps: 6}));
    for (const [step, ratio] of [
      [0, 1],
      [2, 0.75],
      [4, 0.5],
      [6, 0.25],
      [99, 0.25],
    ] as const) {
      expect(selected(select, EIGHT, {step, ...NONE})).toEqual(selected(topK({ratio}), EIGHT));
    }
    expect(selected(select, EIGHT, NONE)).toEqual(selected(topK({ratio: 1}), EIGHT));
  });

  it('takes the state of its schedule from the context', () => {
    const select = scheduled(topK, accuracySteps());
    expect(selected(select, EIGHT, {schedule: select.schedule.init()}).indices).toHaveLength(8);
    const state = select.schedule.next(select.schedule.init(), {step: 1, accuracy: 0.91});
    expect(selected(select, EIGHT, {schedule: state}).indices).toEqual([1, 6]);
    expect(selected(select, EIGHT, {schedule: JSON.parse(JSON.stringify(state))}).indices).toEqual([1, 6]);
  });

  it('hands the context on', () => {
    const valid = marks([1, 0, 1, 1, 1, 0, 1, 1]);
    const select = scheduled(
      ({ratio}) => rankSampling({ratio, seed: 4}),
      window({start: 2, end: 9, ratio: 0.25, interrupt: 0}),
    );
    for (let step = 2; step < 9; step++) {
      const expected = selected(rankSampling({ratio: 0.25, seed: 4}), EIGHT, {step, valid});
      expect(selected(select, EIGHT, {step, valid, ...NONE})).toEqual(expected);
    }
    expect(selected(select, EIGHT, {step: 9, ...NONE}).indices).toHaveLength(8);
  });

  it('keeps nothing to itself: it gives the same for a step again after others', () => {
    const select = scheduled(topK, linear({from: 1, to: 0.25, steps: 6}));
    const first = selected(select, EIGHT, {step: 4, ...NONE});
    selected(select, EIGHT, {step: 0, ...NONE});
    expect(selected(select, EIGHT, {step: 4, ...NONE})).toEqual(first);
  });

  it('lets a trainer have its schedule', () => {
    const schedule = constant(0.5);
    expect(scheduled(topK, schedule).schedule).toBe(schedule);
  });

  it('remembers what the selector of the step does, if selectors remember', () => {
    const lengths = vi.fn(({ratio}: {ratio: number}) =>
      percentileSampling({power: 1, historyLength: Math.round(8 * ratio)}),
    );
    const select = scheduled(lengths, linear({from: 1, to: 0.25, steps: 6}));
    const remembered = (context: SelectionContext) =>
      valuesOf(() => select.remember?.(tf.tensor1d(EIGHT), {memory: null, ...NONE, ...context}) as tf.Tensor).length;
    expect([remembered({}), remembered({step: 4}), remembered({step: 6})]).toEqual([8, 4, 2]);
    expect(scheduled(topK, constant(0.5))).not.toHaveProperty('remember');
    // A rule that stops remembering half way keeps to how it began.
    const some = scheduled(
      ({ratio}) => (ratio === 1 ? percentileSampling({power: 1}) : topK({ratio})),
      linear({from: 1, to: 0.5, steps: 1}),
    );
    expect(valuesOf(() => some.remember?.(tf.tensor1d([1, 2]), {step: 5, memory: null, ...NONE}) as tf.Tensor)).toEqual(
      [1, 2],
    );
  });

  it('refuses to select and to remember without a state, and says what to pass', () => {
    const error = new TypeError(
      'scheduled: schedule must be in the context, got undefined. Pass {schedule: select.schedule.init()} with the ' +
        'first batch. To wrap the selector, use mapSelector, which keeps its state.',
    );
    const select = scheduled(() => percentileSampling({power: 1}), constant(0.5));
    const losses = tf.tensor1d(EIGHT);
    for (const call of [select, select.remember as NonNullable<typeof select.remember>]) {
      expect(leftBy(() => void expect(() => call(losses)).toThrow(error))).toBe(0);
      expect(() => call(losses, {step: 3, memory: null})).toThrow(error);
    }
  });

  it('refuses what builds no selector when it is built', () => {
    expect(() => scheduled(topK({k: 3}) as never, constant(0.5))).toThrow(TypeError);
    expect(() => scheduled({ratio: 0.5} as never, constant(0.5))).toThrow(
      new TypeError('scheduled: makeSelector must be a function from {ratio} to a selector, got {ratio}. Pass topK.'),
    );
    expect(() => scheduled((() => ({indices: 1})) as never, constant(0.5))).toThrow(
      new TypeError('scheduled: makeSelector must return a selector, got {indices}. Pass topK.'),
    );
    expect(() => scheduled(() => scheduled(topK, constant(0.5)), constant(0.5))).toThrow(
      new TypeError('scheduled: makeSelector must return a selector without a schedule, got a function.'),
    );
  });

  it('refuses what is no schedule, and one whose ratio is none', () => {
    for (const [schedule, shown] of [
      [0.5, '0.5'],
      [null, 'null'],
      [{ratio: () => 1}, '{ratio}'],
    ] as const) {
      expect(() => scheduled(topK, schedule as never)).toThrow(
        new TypeError(`scheduled: schedule must have init, ratio and next, got ${shown}. Build one: constant(0.5).`),
      );
    }
    const unfinished = {init: () => undefined, ratio: () => 1, next: () => undefined};
    expect(() => scheduled(topK, unfinished)).toThrow(
      new TypeError('scheduled: schedule.init() must return a state, got undefined. Without one return null.'),
    );
    const falling: KeepSchedule<null> = {init: () => null, ratio: (_, {step}) => 1 - step, next: () => null};
    expect(() => scheduled(topK, falling)(tf.tensor1d(EIGHT), {step: 1, ...NONE})).toThrow(
      new RangeError('scheduled: the ratio of the schedule must be in (0, 1], got 0.'),
    );
    expect(() => scheduled(topK, accuracySteps())(tf.tensor1d(EIGHT), {schedule: {of: 'another'}})).toThrow(
      new RangeError('scheduled: the ratio of the schedule must be in (0, 1], got NaN.'),
    );
  });
});
