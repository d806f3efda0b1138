import fc from 'fast-check';
import {stepDecay} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../support/property';

describe('stepDecay', () => {
  it("is PyTorch's MultiStepLR with gamma 0.1, its milestones as shares of the run", () => {
    const [epochs, milestones, gamma, lr] = [90, [30, 60, 80], 0.1, 0.4];
    const rate = stepDecay(
      milestones.map((epoch, i) => [epoch / epochs, gamma ** (i + 1)] as const),
      {from: lr},
    );
    for (let epoch = 0; epoch < epochs; epoch++) {
      const decays = milestones.filter((milestone) => milestone <= epoch).length;
      expect(rate({progress: epoch / epochs})).toBeCloseTo(lr * gamma ** decays, 14);
    }
  });

  it('has the factor from its share on, and rises in a straight line before if it is to', () => {
    const rate = stepDecay(
      [
        [0.5, 0.5],
        [0.9, 0],
      ],
      {from: 2, warmup: 0.25},
    );
    expect([0, 0.125, 0.25, 0.4999, 0.5, 0.8999, 0.9, 1].map((progress) => rate({progress}))).toEqual([
      0, 1, 2, 2, 1, 1, 0, 0,
    ]);
  });

  it('is constant without shares', () => {
    const rate = stepDecay([], {from: 3});
    expect([0, 0.5, 1].map((progress) => rate({progress}))).toEqual([3, 3, 3]);
  });

  it('gives the rate of the last share that was reached, however many there are', () => {
    const share = fc.double({min: 0, max: 0.999, noNaN: true});
    const factor = fc.double({min: 0, max: 10, noNaN: true});
    const steps = fc.uniqueArray(fc.tuple(share, factor), {selector: ([at]) => at, maxLength: 6});
    const property = fc.property(steps, fc.double({min: 0, max: 1, noNaN: true}), (unordered, progress) => {
      const ordered = [...unordered].sort(([a], [b]) => a - b);
      let expected = 1;
      for (const [at, value] of ordered) if (at <= progress) expected = value;
      expect(stepDecay(ordered, {from: 0.5})({progress})).toBe(0.5 * expected);
    });
    fc.assert(property, RUNS);
  });

  it('refuses epochs for shares, shares out of order, and a warm-up that a share would cut', () => {
    const from = {from: 1};
    expect(() => stepDecay([[30, 0.1]], from)).toThrow(
      new RangeError('stepDecay: steps[0][0] must be in [0, 1), got 30.'),
    );
    const twice = [
      [0.5, 0.1],
      [0.5, 0.01],
    ] as const;
    expect(() => stepDecay(twice, from)).toThrow(
      new RangeError('stepDecay: steps[1][0] must be above the previous share, 0.5, got 0.5.'),
    );
    expect(() => stepDecay([[0.1, 2]], {from: 1, warmup: 0.2})).toThrow(
      new RangeError('stepDecay: warmup must be at most the first share, 0.1, got 0.2.'),
    );
    expect(() => stepDecay([0.5, 0.1] as never, from)).toThrow(
      new TypeError(
        'stepDecay: steps must be a list of pairs [share, factor], got [0.5, 0.1]. Pass [[0.5, 0.1]] and {from: 0.1}.',
      ),
    );
  });
});
