import {memory, tensor2d} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {lossHistogram} from 'ohem-tfjs/insight';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RUNS} from '../support/property';

describe('lossHistogram', () => {
  it('counts losses from each edge up to the next', () => {
    expect(lossHistogram([0, 0.1, 0.25, 0.49, 0.5, 0.99], {bins: 4, min: 0, max: 1})).toEqual({
      counts: [2, 2, 1, 1],
      edges: [0, 0.25, 0.5, 0.75, 1],
      below: 0,
      above: 0,
      nonFinite: 0,
    });
  });

  it('counts the upper end in the last bin', () => {
    expect(lossHistogram([2], {bins: 2, min: 0, max: 2}).counts).toEqual([0, 1]);
  });

  it('goes by the edges where rounding would put a loss on their other side', () => {
    const middle = (min: number, max: number) => lossHistogram([], {bins: 2, min, max}).edges[1] as number;
    expect(middle(-1, 2)).toBe(0.5);
    expect(lossHistogram([0.5 - 2 ** -54], {bins: 2, min: -1, max: 2}).counts).toEqual([1, 0]);
    expect(lossHistogram([middle(0.1, 0.7)], {bins: 2, min: 0.1, max: 0.7}).counts).toEqual([0, 1]);
  });

  it('counts apart what is below, above, and not finite', () => {
    const losses = [-1, 0.5, 3, 4, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    expect(lossHistogram(losses, {bins: 1, min: 0, max: 1})).toMatchObject({
      counts: [1],
      below: 1,
      above: 2,
      nonFinite: 3,
    });
  });

  it('goes from 0 to the largest finite loss in 25 bins, by default', () => {
    const {counts, edges} = lossHistogram(Float32Array.of(1, 5, Number.POSITIVE_INFINITY));
    expect(counts).toHaveLength(25);
    expect([edges[0], edges[25]]).toEqual([0, 5]);
    expect([counts[5], counts[24]]).toEqual([1, 1]);
  });

  it('begins at the smallest loss where that is negative', () => {
    expect(lossHistogram([-1, 1], {bins: 2})).toMatchObject({counts: [1, 1], edges: [-1, 0, 1]});
  });

  it('has a range of its own where all losses are the same, or there is none', () => {
    expect(lossHistogram([0, 0], {bins: 2})).toMatchObject({counts: [2, 0], edges: [0, 0.5, 1]});
    expect(lossHistogram([-4], {bins: 2})).toMatchObject({counts: [1, 0], edges: [-4, -2, 0]});
    expect(lossHistogram([], {bins: 2})).toMatchObject({counts: [0, 0], edges: [0, 0.5, 1]});
    expect(lossHistogram([Number.NaN], {bins: 1})).toMatchObject({counts: [0], nonFinite: 1});
  });

  it('is plain JSON', () => {
    const histogram = lossHistogram([0.1, Number.NaN, 3], {bins: 3, max: 1});
    expect(JSON.parse(JSON.stringify(histogram))).toEqual(histogram);
  });

  it('counts every loss once, between the edges that it lies between', () => {
    const options = fc.record({bins: fc.integer({min: 1, max: 40})});
    fc.assert(
      fc.property(fc.array(fc.double(), {maxLength: 40}), options, (losses, {bins}) => {
        const {counts, edges, below, above, nonFinite} = lossHistogram(losses, {bins});
        expect(counts.reduce((sum, count) => sum + count, 0) + below + above + nonFinite).toBe(losses.length);
        expect([below, above]).toEqual([0, 0]);
        for (const [bin, count] of counts.entries()) {
          const [from, to] = [edges[bin] as number, edges[bin + 1] as number];
          const isLast = bin === bins - 1;
          const inside = losses.filter(
            (loss) => loss >= from && (isLast ? loss <= to : loss < to) && Number.isFinite(loss),
          );
          expect(count).toBe(inside.length);
        }
      }),
      RUNS,
    );
  });

  it('refuses bad options, and what holds no losses', () => {
    const call =
      (options: object, losses: unknown = [1]) =>
      () =>
        lossHistogram(losses as number[], options);
    expect(call({bins: 0})).toThrow(new RangeError('lossHistogram: bins must be an integer >= 1, got 0.'));
    expect(call({bins: 2.5})).toThrow(new RangeError('lossHistogram: bins must be an integer >= 1, got 2.5.'));
    expect(call({min: 1, max: 1})).toThrow(new RangeError('lossHistogram: min must be under max, 1, got 1.'));
    expect(call({max: 0})).toThrow(new RangeError('lossHistogram: min must be under max, 0, got 0.'));
    expect(call({min: Number.NaN})).toThrow(new RangeError('lossHistogram: min must be a finite number, got NaN.'));
    expect(call({max: Number.POSITIVE_INFINITY})).toThrow(
      new RangeError('lossHistogram: max must be a finite number, got Infinity.'),
    );
    expect(call({bin: 3})).toThrow(
      new TypeError("lossHistogram: options must have the names bins, min, max, got bin. Did you mean 'bins'?"),
    );
    expect(call({}, 3)).toThrow(new TypeError('lossHistogram: losses must be numbers or a tensor, got 3.'));
    expect(() => lossHistogram('12' as never)).toThrow('lossHistogram: losses must be numbers or a tensor, got 12.');
  });
});

describeOnBackends('lossHistogram', () => {
  it('reads a tensor of any shape, and leaves it as it is', async () => {
    const losses = tensor2d([0.1, 0.2, 0.9, Number.NaN], [2, 2]);
    const before = memory().numTensors;
    const histogram = await lossHistogram(losses, {bins: 2, min: 0, max: 1});
    expect(histogram).toMatchObject({counts: [2, 1], nonFinite: 1});
    expect(memory().numTensors).toBe(before);
    expect(losses.isDisposed).toBe(false);
    losses.dispose();
  });
});
