import {describe, expect, it} from 'vitest';
import {seededRandom, shuffledIndices} from '../../../../examples/mnist/experiment/random';

const words = (seed: number, count: number) => {
  const random = seededRandom(seed);
  return Array.from({length: count}, () => random() * 2 ** 32);
};

describe('seededRandom', () => {
  it('gives the numbers of sfc32 as PractRand seeds it', () => {
    // From a transcription of the algorithm in Python; seeds 0, 1 and 42 agree with published
    // vectors of bryc's sfc32.
    expect(words(0, 4)).toEqual([1363572419, 145230303, 808754475, 4216505632]);
    expect(words(1, 4)).toEqual([2012149540, 1872316204, 1707632675, 1779833415]);
    expect(words(42, 4)).toEqual([1264412219, 1947509147, 3919439299, 1251167922]);
    expect(words(Number.MAX_SAFE_INTEGER, 4)).toEqual([3268402823, 2602357022, 3266425223, 182731693]);
  });

  it('takes both halves of a seed over 2^32', () => {
    // State 0, 2, 1 is what the Rust crate rand_sfc tests with words made by PractRand itself; it
    // drops 15 and not 12.
    expect(words(2 ** 32 + 2, 7).slice(3)).toEqual([0x03b80bb8, 0xa87dbc7e, 0x1787178c, 0x4c7b7234]);
  });

  it('stays in [0, 1), with the mean and variance of even numbers', () => {
    const random = seededRandom(7);
    const numbers = Array.from({length: 100_000}, random);
    const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length;
    expect(numbers.every((x) => x >= 0 && x < 1)).toBe(true);
    expect(mean).toBeCloseTo(1 / 2, 2);
    expect(variance).toBeCloseTo(1 / 12, 2);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('rejects the seed %s', (seed) => {
    expect(() => seededRandom(seed)).toThrow(
      new RangeError(`seededRandom: seed must be an integer from 0 to 2^53 - 1, got ${seed}.`),
    );
  });
});

describe('shuffledIndices', () => {
  it('holds every index once', () => {
    const indices = shuffledIndices(1000, seededRandom(3));
    expect(indices).not.toEqual(Uint32Array.from({length: 1000}, (_, index) => index));
    expect(indices.slice().sort()).toEqual(Uint32Array.from({length: 1000}, (_, index) => index));
  });

  it('gives the same order for the same seed, another for another', () => {
    expect(shuffledIndices(50, seededRandom(3))).toEqual(shuffledIndices(50, seededRandom(3)));
    expect(shuffledIndices(50, seededRandom(3))).not.toEqual(shuffledIndices(50, seededRandom(4)));
  });

  it('swaps from the end, as Fisher and Yates do', () => {
    // Always index 0: 0 1 2 3 → 3 1 2 0 → 2 1 3 0 → 1 2 3 0
    expect(Array.from(shuffledIndices(4, () => 0))).toEqual([1, 2, 3, 0]);
    expect(Array.from(shuffledIndices(4, () => 1 - 2 ** -32))).toEqual([0, 1, 2, 3]);
  });

  it('makes each of the 24 orders of four about equally often', () => {
    const random = seededRandom(11);
    const seen = new Map<string, number>();
    for (let round = 0; round < 24_000; round++) {
      const order = shuffledIndices(4, random).join('');
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(24);
    // Standard deviation 31: five of them.
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(155);
  });

  it.each([0, 1])('does with %s', (count) => {
    expect(shuffledIndices(count, seededRandom(1))).toEqual(new Uint32Array(count));
  });
});
