/** Numbers in `[0, 1)`, like `Math.random`. */
export type Random = () => number;

/**
 * A generator that gives the same numbers for the same seed, everywhere.
 *
 * It is sfc32, the 32-bit "small fast chaotic" generator of PractRand, seeded as PractRand does:
 * the low and the high half of the seed go to the second and third word, and the first 12 outputs
 * are dropped.
 *
 * @param seed  integer from 0 to 2⁵³ − 1.
 *
 * @see Doty-Humphrey, PractRand 0.95, `src/RNGs/sfc.cpp` (pracrand.sourceforge.net), public domain
 */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`seededRandom: seed must be an integer from 0 to 2^53 - 1, got ${seed}.`);
  }
  let a = 0;
  let b = seed | 0;
  let c = (seed / 2 ** 32) | 0;
  let counter = 1;
  const next = () => {
    const output = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + output) | 0;
    return (output >>> 0) / 2 ** 32;
  };
  for (let dropped = 0; dropped < 12; dropped++) next();
  return next;
}

/** `0 … count − 1` in random order (Fisher–Yates), every order equally likely. */
export function shuffledIndices(count: number, random: Random): Uint32Array {
  const indices = Uint32Array.from({length: count}, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const kept = indices[last] as number;
    indices[last] = indices[other] as number;
    indices[other] = kept;
  }
  return indices;
}
