import {describe, expect, it} from 'vitest';
import {around, type Hand, hardHand, neatHand} from '../../../../examples/mnist/data/hand';
import {seededRandom} from '../../../../examples/mnist/experiment/random';

const hands = (hand: typeof neatHand, count = 2000) => {
  const random = seededRandom(5);
  return Array.from({length: count}, () => hand(random));
};
/** The traits of a hand that no neat one has. */
const mishaps = (hand: Hand) =>
  [
    Math.abs(hand.rotation) > 0.3,
    Math.abs(hand.slant - 0.12) > 0.4,
    hand.aspect < 0.8 || hand.aspect > 1.3,
    hand.halfHeight < 7.8,
    hand.wobble > 0.16,
    hand.penRadius < 0.8,
    hand.penRadius > 1.7,
    hand.gaps > 0,
    hand.hidden > 0,
    hand.blur > 1,
    hand.noise > 0.08,
  ].flatMap((present, trait) => (present ? [trait] : []));

describe('around', () => {
  it('stays within the spread, and is 0 on average', () => {
    const random = seededRandom(1);
    const numbers = Array.from({length: 20_000}, () => around(random, 3));
    expect(Math.max(...numbers.map(Math.abs))).toBeLessThan(3);
    expect(Math.abs(numbers.reduce((sum, x) => sum + x, 0) / numbers.length)).toBeLessThan(0.05);
  });
});

describe('neatHand', () => {
  it('has no mishap', () => {
    for (const hand of hands(neatHand)) expect(mishaps(hand)).toEqual([]);
  });
});

describe('hardHand', () => {
  it('has one mishap or two', () => {
    // A slant of −0.25 is neat, and 0.55 to the right hardly beyond it: not every mishap can be
    // told from outside.
    const counts = hands(hardHand).map((hand) => mishaps(hand).length);
    expect(Math.max(...counts)).toBe(2);
    expect(counts.filter((count) => count === 0).length).toBeLessThan(20);
  });

  it('meets with each of them', () => {
    const seen = new Set(hands(hardHand).flatMap(mishaps));
    expect(seen.size).toBe(11);
  });
});
