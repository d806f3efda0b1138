import {easiestFirst} from 'ohem-tfjs/samplers';
import {describe, expect, it} from 'vitest';

type Options = Parameters<typeof easiestFirst>[0];

function chosenOf(losses: readonly number[], options: Options, epoch: number) {
  const sampler = easiestFirst(options);
  const scores = {losses: Float32Array.from(losses)};
  return sampler.choose(sampler.init(losses.length), {epoch, epochs: 100, seed: 0, scores});
}

const FALLING = Array.from({length: 100}, (_, row) => 100 - row);
const countsOf = (options: Options, epochs: readonly number[]) =>
  epochs.map((epoch) => chosenOf(FALLING, options, epoch).rows.length);

describe('easiestFirst', () => {
  it('trains on the smallest losses, and runs the other rows forward at the end of the epoch', () => {
    const {rows, rescore} = chosenOf([0.9, 0.1, 2, 0.3], {start: 0.5, growEpochs: 100}, 1);
    expect([Array.from(rows), Array.from(rescore ?? [])]).toEqual([
      [1, 3],
      [0, 2],
    ]);
  });

  it('takes more of them linearly, geometrically, or by a root, and all from growEpochs on', () => {
    const epochs = [1, 4, 8, 10, 50];
    const [linear, geometric, root] = (['linear', 'geometric', {root: 2}] as const).map((pacing) =>
      countsOf({start: 0.2, growEpochs: 10, pacing}, epochs),
    );
    expect(linear).toEqual([28, 52, 84, 100, 100]);
    // 0.2^0.9 = 0.2349, 0.2^0.6 = 0.3807, 0.2^0.2 = 0.7248.
    expect(geometric).toEqual([23, 38, 72, 100, 100]);
    // √(0.04 + 0.96 · t): the root is that of p, not always a square root.
    expect(root).toEqual([36, 65, 89, 100, 100]);
    expect(countsOf({start: 0.2, growEpochs: 10, pacing: {root: 3}}, [1])).toEqual([47]);
    expect(countsOf({start: 0.2, growEpochs: 10, pacing: {root: 1}}, epochs)).toEqual(linear);
  });

  it('has all rows in the first epoch, and rows whose loss is not finite in every one', () => {
    expect(chosenOf(new Array(9).fill(Number.NaN), {growEpochs: 5}, 0).rows).toHaveLength(9);
    const losses = [5, Number.NaN, 1, Number.POSITIVE_INFINITY, 3];
    expect(Array.from(chosenOf(losses, {start: 0.2, growEpochs: 100}, 1).rows)).toEqual([1, 2, 3]);
  });

  it('has at least one row of those with a loss', () => {
    expect(Array.from(chosenOf([3, 2, 1], {start: 0.01, growEpochs: 90}, 1).rows)).toEqual([2]);
  });

  it('refuses options that are none', () => {
    for (const start of [0, 1, -0.2]) {
      expect(() => easiestFirst({start, growEpochs: 5})).toThrow(
        new RangeError(`easiestFirst: start must be in (0, 1), got ${start}.`),
      );
    }
    expect(() => easiestFirst({} as never)).toThrow(
      new RangeError('easiestFirst: growEpochs must be an integer >= 1, got undefined.'),
    );
    expect(() => easiestFirst({growEpochs: 3, pacing: 'geom' as never})).toThrow(
      new RangeError("easiestFirst: pacing must be one of linear, geometric, got 'geom'."),
    );
    expect(() => easiestFirst({growEpochs: 3, pacing: 2 as never})).toThrow(
      new TypeError("easiestFirst: pacing must be 'linear', 'geometric' or {root}, got 2."),
    );
    expect(() => easiestFirst({growEpochs: 3, pacing: {root: 0}})).toThrow(
      new RangeError('easiestFirst: pacing.root must be a finite number > 0, got 0.'),
    );
  });
});
