import {seededRandom} from '../../examples/mnist/experiment/random';

export const SYMBOLS = 8;
/** A sequence has three blocks; a block has a phrase of three random symbols three times. */
export const [PHRASE, TIMES, BLOCKS] = [3, 3, 3];
const BLOCK = PHRASE * TIMES;
export const LENGTH = BLOCK * BLOCKS;

/** Whether the symbol at a place repeats one of the same block; the others are drawn. */
export const isRepeated = (place: number): boolean => place % BLOCK >= PHRASE;

/**
 * Draws sequences of symbols: `a b c a b c a b c d e f d e f …`. The first three of a block cannot
 * be predicted; the next six can, from those before.
 *
 * @returns `count · LENGTH` symbols.
 */
export function drawSequences(count: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  const symbols = new Uint8Array(count * LENGTH);
  for (let place = 0; place < symbols.length; place++) {
    symbols[place] = isRepeated(place) ? (symbols[place - PHRASE] as number) : Math.floor(random() * SYMBOLS);
  }
  return symbols;
}
