/** @file What every schedule of keep ratios promises. A new one is a line in the table. */
import {accuracySteps, constant, type KeepSchedule, linear, window} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {LEARNING_RATES} from '../support/learningRates';

interface Member {
  /** As it is exported. */
  member: string;
  options: string;
  schedule: KeepSchedule;
}

const SCHEDULES: readonly Member[] = [
  {member: 'accuracySteps', options: '', schedule: accuracySteps()},
  {member: 'accuracySteps', options: '[[0.3, 3]]', schedule: accuracySteps([[0.3, 3]])},
  {member: 'constant', options: '0.5', schedule: constant(0.5)},
  {member: 'linear', options: '{from: 1, to: 0.25, steps: 30}', schedule: linear({from: 1, to: 0.25, steps: 30})},
  {member: 'linear', options: '{from: 0.1, to: 1, steps: 7}', schedule: linear({from: 0.1, to: 1, steps: 7})},
  {member: 'window', options: '{start: 5, end: 20}', schedule: window({start: 5, end: 20})},
  {
    member: 'window',
    options: '{start: 0, end: 9, interrupt: 0, ratio: 1}',
    schedule: window({start: 0, end: 9, interrupt: 0, ratio: 1}),
  },
];

const STEPS = Array.from({length: 41}, (_, step) => step);
/** What a trainer has seen after each step: the accuracy now and then. */
const seenAt = (step: number) => (step % 8 === 7 ? {step, accuracy: step / 41} : {step});
const copied = (state: unknown) => JSON.parse(JSON.stringify(state)) as unknown;

/** A state that throws when somebody changes it. */
function frozen(state: unknown): unknown {
  return state !== null && typeof state === 'object' ? Object.freeze(state) : state;
}

/** The ratios over training, with whatever a trainer does to the state in between. */
function ratiosOf(schedule: KeepSchedule, between: (state: unknown) => unknown = (state) => state): number[] {
  let state = between(schedule.init());
  return STEPS.map((step) => {
    const ratio = schedule.ratio(state, {step});
    state = between(schedule.next(state, seenAt(step)));
    return ratio;
  });
}

describe('The contract of the schedules', () => {
  it('is held by every schedule that is exported, or that of the learning rates', async () => {
    const exported = Object.keys(await import('ohem-tfjs/schedules'));
    expect([...new Set([...SCHEDULES, ...LEARNING_RATES].map(({member}) => member))].sort()).toEqual(exported.sort());
  });
});

describe.each(SCHEDULES)('$member($options)', ({schedule}) => {
  it('has a ratio in (0, 1] at every step', () => {
    for (const ratio of ratiosOf(schedule)) {
      expect(ratio).toBeGreaterThan(0);
      expect(ratio).toBeLessThanOrEqual(1);
    }
    expect(schedule.ratio(schedule.init(), {step: Number.MAX_SAFE_INTEGER})).toBeGreaterThan(0);
  });

  it('has a state that is plain JSON, and resumes from it', () => {
    let state = schedule.init();
    for (const step of STEPS) {
      expect(copied(state)).toEqual(state);
      state = schedule.next(state, seenAt(step));
    }
    expect(ratiosOf(schedule, copied)).toEqual(ratiosOf(schedule));
  });

  it('changes no state that it is given', () => {
    expect(ratiosOf(schedule, frozen)).toEqual(ratiosOf(schedule));
  });

  it('gives the same answer when it is called again, and begins anew from init()', () => {
    const first = ratiosOf(schedule);
    expect(ratiosOf(schedule)).toEqual(first);
    const state = schedule.next(schedule.init(), {step: 3, accuracy: 0.97});
    expect(schedule.ratio(state, {step: 12})).toBe(schedule.ratio(state, {step: 12}));
    expect(schedule.init()).toEqual(schedule.init());
  });

  it('takes options that are JSON, and no part of it needs the others around it', () => {
    const {init, ratio, next} = schedule;
    expect(ratio(next(init(), {step: 0}), {step: 1})).toBe(ratiosOf(schedule)[1]);
  });
});
