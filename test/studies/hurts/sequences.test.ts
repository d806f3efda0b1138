import {expect, it} from 'vitest';
import {drawSequences, isRepeated, LENGTH, SYMBOLS} from '../../../studies/hurts/sequences';

const COUNT = 200;
const symbols = drawSequences(COUNT, 1);

it('A sequence repeats each phrase of three symbols twice', () => {
  expect(symbols).toHaveLength(COUNT * LENGTH);
  const [first] = [symbols.subarray(0, LENGTH)];
  for (const block of [0, 9, 18]) {
    const phrase = first.subarray(block, block + 3);
    expect(first.subarray(block, block + 9)).toEqual(Uint8Array.from([...phrase, ...phrase, ...phrase]));
  }
});

it('Two thirds of the symbols repeat others, and all others are equally likely', () => {
  const places = Array.from({length: LENGTH}, (_, place) => place);
  expect(places.filter(isRepeated)).toHaveLength((2 / 3) * LENGTH);
  const counts = new Array<number>(SYMBOLS).fill(0);
  for (const [place, symbol] of symbols.entries()) {
    if (!isRepeated(place)) counts[symbol] = (counts[symbol] as number) + 1;
  }
  const expected = (COUNT * LENGTH) / 3 / SYMBOLS;
  for (const count of counts) expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
});

it('A seed draws the same sequences each time', () => {
  expect(drawSequences(COUNT, 1)).toEqual(symbols);
  expect(drawSequences(COUNT, 2)).not.toEqual(symbols);
});
