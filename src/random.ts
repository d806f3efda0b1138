/**
 * Builds a generator of uniform numbers in (0, 1), never 0 nor 1, from a text seed. The algorithm
 * is sfc32 (public domain, C. Doty-Humphrey). tfjs has seeded numbers only as tensors, which would
 * need a read.
 */
export function uniformFrom(seed: string): () => number {
  const codes = Array.from(seed, (character) => character.codePointAt(0) as number);
  let [a, b, c] = [hashed(codes, 1), hashed(codes, 2), hashed(codes, 3)];
  let counter = 1;
  const next = () => {
    const mixed = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + mixed) | 0;
    return ((mixed >>> 0) + 0.5) / 2 ** 32;
  };
  // Similar seeds have similar hashes; twelve rounds remove the similarity.
  for (let round = 0; round < 12; round++) next();
  return next;
}

/** Hashes integers by FNV-1a (public domain), differently for each `salt`. */
export function hashed(numbers: ArrayLike<number>, salt = 0): number {
  let hash = 0x811c9dc5 + salt;
  for (let place = 0; place < numbers.length; place++) {
    hash = Math.imul(hash ^ (numbers[place] as number), 0x01000193);
  }
  return hash;
}

/** Returns the numbers 0 … count − 1 in random order. */
export function shuffled(count: number, uniform: () => number): Int32Array {
  const order = Int32Array.from({length: count}, (_, number) => number);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(uniform() * (last + 1));
    const number = order[last] as number;
    order[last] = order[other] as number;
    order[other] = number;
  }
  return order;
}
