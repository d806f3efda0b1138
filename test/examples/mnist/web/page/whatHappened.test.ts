import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {parseRuns} from '../../../../../examples/mnist/experiment/runs';
import {lookFor, whatHappened} from '../../../../../examples/mnist/web/page/whatHappened';
import {RUNS} from '../../../../support/property';

const runs = parseRuns('128/32,128/32-random,128/128');
/** Curves of which each has, at its steps, the same accuracy. */
const curves = (...each: [steps: number[], accuracy: number][]) =>
  each.map(([steps, accuracy]) => ({testAccuracy: steps.map((step) => ({step, accuracy}))}));
const sentenceAfter = (mined: number, random: number, full: number, {step = 120, steps = 300, testCount = 1000} = {}) =>
  whatHappened({
    runs,
    curves: curves([[0, step], mined], [[0, step], random], [[0, step], full]),
    shown: 0,
    testCount,
    steps,
  });

describe('whatHappened', () => {
  it('says how accurate the mined run is, at which share of the backward rows, and how the others do', () => {
    expect(sentenceAfter(0.912, 0.71, 0.92)).toBe(
      'After 120 steps, 128/32 is at 91.2 % with 25 % of the backward rows of 128/128, which is at 92.0 %: ' +
        'level, as far as 1,000 test digits can tell (± 2.5 points). ' +
        '128/32 random, with as many rows by chance, is at 71.0 %: mining is 20.2 points ahead.',
    );
  });

  it('says once how far level runs may be apart', () => {
    expect(sentenceAfter(0.1, 0.11, 0.12)).toMatch(
      / is at 12\.0 %: level, as far as [^:]* points\)\. .* is at 11\.0 %: level, too\.$/,
    );
    expect(sentenceAfter(0.1, 0.11, 0.5)).toMatch(/behind\. .*: level, as far as 1,000 test digits can tell/);
  });

  it('says so when mining is behind', () => {
    expect(sentenceAfter(0.5, 0.7, 0.9)).toContain('which is at 90.0 %: mining is 40.0 points behind.');
    expect(sentenceAfter(0.5, 0.7, 0.9)).toContain('is at 70.0 %: mining is 20.0 points behind.');
  });

  it('ends with what one seed does not show', () => {
    expect(sentenceAfter(0.9, 0.9, 0.9, {step: 300})).toMatch(
      /^In the end, after 300 steps, .* Another seed may differ\.$/,
    );
    expect(sentenceAfter(0.9, 0.9, 0.9, {step: 1})).toMatch(/^After 1 step, /);
  });

  it('calls a difference one only if it exceeds two standard errors', () => {
    const share = fc.integer({min: 0, max: 1000}).map((thousandths) => thousandths / 1000);
    fc.assert(
      fc.property(share, share, fc.integer({min: 10, max: 10_000}), (mined, full, testCount) => {
        const text = sentenceAfter(mined, mined, full, {testCount});
        const margin = 2 * Math.sqrt((mined * (1 - mined)) / testCount + (full * (1 - full)) / testCount);
        const [, toFull] = /which is at [^:]*: (level|mining is \S+ points ahead|mining is \S+ points behind)/.exec(
          text,
        ) as unknown as [string, string];
        if (Math.abs(mined - full) > margin + 1e-9) expect(toFull).toMatch(mined > full ? /ahead$/ : /behind$/);
        if (Math.abs(mined - full) < margin - 1e-9) expect(toFull).toBe('level');
        // Equal accuracies are level on any number of digits.
        expect(text).toMatch(/by chance, is at [^:]*: level/);
      }),
      RUNS,
    );
  });

  it('takes its numbers from the last step at which all compared runs were measured', () => {
    const text = whatHappened({
      runs,
      curves: curves([[0, 10, 20], 0.9], [[0, 10, 20], 0.8], [[0, 10], 0.7]),
      shown: 0,
      testCount: 100,
      steps: 300,
    });
    expect(text).toMatch(/^After 10 steps, /);
  });

  it('says what to look for before anything has happened', () => {
    const nothing = whatHappened({runs, curves: curves([[], 0], [[], 0], [[], 0]), shown: 0, testCount: 0, steps: 300});
    const before = whatHappened({
      runs,
      curves: curves([[0, 1], 0.1], [[0], 0.1], [[0], 0.1]),
      shown: 0,
      testCount: 9,
      steps: 3,
    });
    expect(nothing).toBe(lookFor(runs));
    expect(before).toBe(lookFor(runs));
  });

  it('tells of a single run where it is, and its best if that is past', () => {
    const text = (accuracies: number[]) =>
      whatHappened({
        runs: parseRuns('8/8'),
        curves: [{testAccuracy: accuracies.map((accuracy, index) => ({step: 10 * index, accuracy}))}],
        shown: 0,
        testCount: 100,
        steps: 30,
      });
    expect(text([0.1, 0.5, 0.4])).toBe('After 20 steps, 8/8 is at 40.0 %; its best was 50.0 %, after 10 steps.');
    expect(text([0.1, 0.5])).toBe('After 10 steps, 8/8 is at 50.0 %.');
  });
});

describe('lookFor', () => {
  it.each([
    ['128/32,128/128', 'Watch whether 128/32, which learns from the 32 hardest of 128 digits, keeps up with 128/128'],
    ['8/4,8/4-random', 'Watch whether 8/4, which learns from the 4 hardest of 8 digits, gets ahead of 8/4 random'],
    ['8/4', 'Watch which digits 8/4 keeps: the 4 hardest of each 8.'],
    ['8/8', 'Watch how the accuracy grows'],
  ])('of %s says: %s', (text, start) => {
    expect(lookFor(parseRuns(text))).toContain(start);
  });

  it('of no run asks for one', () => {
    expect(lookFor([])).toBe('Choose a run to begin.');
  });
});
