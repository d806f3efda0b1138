import fc from 'fast-check';
import {accuracySteps} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../support/property';

/** The ratio after each of some accuracies. */
function ratiosAfter(accuracies: (number | undefined)[], schedule = accuracySteps()): number[] {
  let state = schedule.init();
  return accuracies.map((accuracy, step) => {
    state = schedule.next(state, accuracy === undefined ? {step} : {step, accuracy});
    return schedule.ratio(state, {step});
  });
}

describe('accuracySteps', () => {
  it('keeps every row at first', () => {
    expect(accuracySteps().ratio(accuracySteps().init(), {step: 0})).toBe(1);
  });

  it('halves at 80, 90, 95 and 99.5 % as Ordered SGD does, from there on', () => {
    expect(ratiosAfter([0.7999, 0.8, 0.85, 0.9, 0.9499, 0.95, 0.9949, 0.995, 1])).toEqual([
      1,
      1 / 2,
      1 / 2,
      1 / 4,
      1 / 4,
      1 / 8,
      1 / 8,
      1 / 16,
      1 / 16,
    ]);
  });

  it('may jump, and never falls back', () => {
    expect(ratiosAfter([0.96, 0.5, 0.81, 0.999, 0])).toEqual([1 / 8, 1 / 8, 1 / 8, 1 / 16, 1 / 16]);
  });

  it('stays where it is without a measurement', () => {
    expect(ratiosAfter([undefined, 0.8, undefined, Number.NaN])).toEqual([1, 1 / 2, 1 / 2, 1 / 2]);
  });

  it('takes steps of your own', () => {
    const schedule = accuracySteps([
      [0.5, 1.25],
      [0.6, 5],
    ]);
    expect(ratiosAfter([0.4, 0.5, 0.6], schedule)).toEqual([1, 0.8, 0.2]);
    expect(ratiosAfter([1], accuracySteps([]))).toEqual([1]);
  });

  it('never keeps more than before, whatever the accuracies', () => {
    const property = fc.property(fc.array(fc.double({min: 0, max: 1, noNaN: true})), (accuracies) => {
      const ratios = ratiosAfter(accuracies);
      expect(ratios).toEqual([...ratios].sort((a, b) => b - a));
    });
    fc.assert(property, RUNS);
  });

  it('refuses what are no steps', () => {
    const remedy = 'Pass [[0.8, 2], [0.9, 4]].';
    for (const [steps, shown] of [
      [0.8, '0.8'],
      [null, 'null'],
      [[0.8, 2], '[0.8, 2]'],
      [[[0.8]], '[[0.8]]'],
    ] as const) {
      expect(() => accuracySteps(steps as never)).toThrow(
        new TypeError(`accuracySteps: steps must be a list of pairs [accuracy, divisor], got ${shown}. ${remedy}`),
      );
    }
    for (const accuracy of [0, 80, Number.NaN]) {
      expect(() => accuracySteps([[accuracy, 2]])).toThrow(
        new RangeError(`accuracySteps: steps[0][0] must be in (0, 1], got ${accuracy}.`),
      );
    }
    for (const divisor of [0.5, 0, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => accuracySteps([[0.8, divisor]])).toThrow(
        new RangeError(`accuracySteps: steps[0][1] must be a finite number >= 1, got ${divisor}.`),
      );
    }
    for (const second of [0.8, 0.7]) {
      expect(() =>
        accuracySteps([
          [0.8, 2],
          [second, 4],
        ]),
      ).toThrow(new RangeError(`accuracySteps: steps[1][0] must be above the previous accuracy, 0.8, got ${second}.`));
    }
  });
});
