/** The rows 0 … count − 1 in an order that depends on seed and epoch alone: the same on every backend, and after a resumed training. */
export function shuffledRows(count: number, seed: number | string, epoch: number): Int32Array {
  const rows = rowsFrom(0, count);
  const draw = generator(`${seed}/${epoch}`);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(draw() * (last + 1));
    const row = rows[last] as number;
    rows[last] = rows[other] as number;
    rows[other] = row;
  }
  return rows;
}

/** The rows first … end − 1 in their order. */
export function rowsFrom(first: number, end: number): Int32Array {
  return Int32Array.from({length: end - first}, (_, row) => first + row);
}

/**
 * Numbers in [0, 1) from a text seed. tfjs has seeded numbers only as tensors, which would have to be read back.
 *
 * @see Chris Doty-Humphrey's "Small Fast Counter" generator of PractRand, with 32-bit words
 */
function generator(seed: string): () => number {
  let [a, b, c, counter] = [hash(seed, 1), hash(seed, 2), hash(seed, 3), 1];
  const draw = () => {
    const drawn = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + drawn) | 0;
    return (drawn >>> 0) / 2 ** 32;
  };
  // Its words take a dozen draws to mix.
  for (let round = 0; round < 12; round++) draw();
  return draw;
}

/** FNV-1a of a text, one of several. */
function hash(text: string, variant: number): number {
  let value = 0x811c9dc5 ^ variant;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) as number), 0x01000193);
  return value;
}
