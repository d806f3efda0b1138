import {selectiveBackprop} from 'ohem-tfjs/samplers';
import {describe, expect, it} from 'vitest';

type Options = Parameters<typeof selectiveBackprop>[0];

function rowsOf(losses: ArrayLike<number>, options: Options, seed = 0, epoch = 1) {
  const sampler = selectiveBackprop(options);
  const scores = {losses: Float32Array.from(losses)};
  return sampler.choose(sampler.init(losses.length), {epoch, epochs: 99, seed, scores}).rows;
}

/** How often each row is trained on, as a share. */
function shares(losses: readonly number[], options: Options, draws: number): number[] {
  const times = new Array<number>(losses.length).fill(0);
  for (let seed = 0; seed < draws; seed++) {
    for (const row of rowsOf(losses, options, seed)) times[row] = (times[row] as number) + 1 / draws;
  }
  return times;
}

function expectShares(got: number[], expected: number[], draws: number): void {
  // 5 standard deviations.
  got.forEach((share, row) => {
    const p = expected[row] as number;
    expect(Math.abs(share - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / draws) + 1e-9);
  });
}

const DRAWS = 3000;
const RISING = Array.from({length: 12}, (_, place) => place);
// With that number of hard rows, some row is nearly always drawn, so that the hardest need not be
// kept to have one.
const LOSSES = [0.1, 0.5, 0.5, 0.9, ...RISING.map((place) => 2 + place)];
const BELOW = [0, 1, 1, 3, ...RISING.map((place) => 4 + place)].map((count) => count / 16);

describe('selectiveBackprop', () => {
  it('trains on each row by a power of the share of smaller losses', () => {
    for (const power of [1, 2]) {
      expectShares(
        shares(LOSSES, {power}, DRAWS),
        BELOW.map((share) => share ** power),
        DRAWS,
      );
    }
  });

  it('has a chance for the easiest rows too', () => {
    const expected = BELOW.map((share) => Math.max(0.3, share));
    expectShares(shares(LOSSES, {power: 1, minProbability: 0.3}, DRAWS), expected, DRAWS);
  });

  it('takes each row for the median if all losses are equal', () => {
    const equal = new Array(20).fill(1.5);
    expectShares(shares(equal, {power: 1}, DRAWS), new Array(20).fill(0.5), DRAWS);
  });

  it('compares with 1,024 losses of a larger data set, about 1 / (power + 1) of which it trains on', () => {
    const losses = Float32Array.from({length: 50_000}, (_, row) => (row * 7919) % 50_000);
    for (const power of [1, 3]) {
      const share = rowsOf(losses, {power}).length / losses.length;
      expect(Math.abs(share - 1 / (power + 1))).toBeLessThan(0.05);
    }
  });

  it('keeps the hardest row if it would keep none', () => {
    const counts = Array.from({length: 200}, (_, seed) => rowsOf([1, 2, 3], {power: 9}, seed));
    const ones = counts.filter((rows) => rows.length === 1 && rows[0] === 2);
    expect(ones.length).toBeGreaterThan(150);
  });

  it('draws anew in each epoch', () => {
    const losses = Array.from({length: 50}, (_, row) => row);
    expect(rowsOf(losses, {power: 1}, 0, 1)).not.toEqual(rowsOf(losses, {power: 1}, 0, 2));
  });

  it('refuses options that are none', () => {
    expect(() => selectiveBackprop({power: 0})).toThrow(
      new RangeError('selectiveBackprop: power must be a finite number > 0, got 0.'),
    );
    expect(() => selectiveBackprop({power: 1, minProbability: -1})).toThrow(
      new RangeError('selectiveBackprop: minProbability must be in [0, 1], got -1.'),
    );
  });
});
