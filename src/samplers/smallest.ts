/** Numbers that half the bits of a key can be. */
const HALF = 2 ** 16;

/**
 * Marks the `count` rows with the smallest finite losses by 1, in O(N) and without sorting. Ties go
 * to the lower row. Two rounds find the largest of them, one half of its bits after the other.
 */
export function markSmallest(losses: Float32Array, count: number): Uint8Array {
  const bits = new Int32Array(losses.buffer, losses.byteOffset, losses.length);
  const high = placeOf(count, highHalves(bits));
  const low = placeOf(count - high.before, lowHalves(bits, high.half));
  const largest = (high.half - HALF / 2) * HALF + low.half;
  let ties = count - high.before - low.before;
  const marks = new Uint8Array(losses.length);
  for (let row = 0; row < bits.length; row++) {
    const key = keyOf(bits[row] as number);
    if (!isFiniteKey(bits[row] as number)) continue;
    if (key < largest) marks[row] = 1;
    else if (key === largest && ties-- > 0) marks[row] = 1;
  }
  return marks;
}

/** Counts the finite losses by the higher half of their keys. */
function highHalves(bits: Int32Array): Int32Array {
  const sizes = new Int32Array(HALF);
  for (let row = 0; row < bits.length; row++) {
    if (!isFiniteKey(bits[row] as number)) continue;
    const half = (keyOf(bits[row] as number) >> 16) + HALF / 2;
    sizes[half] = (sizes[half] as number) + 1;
  }
  return sizes;
}

/** Counts those with a given higher half by the lower one. */
function lowHalves(bits: Int32Array, high: number): Int32Array {
  const sizes = new Int32Array(HALF);
  for (let row = 0; row < bits.length; row++) {
    const key = keyOf(bits[row] as number);
    if ((key >> 16) + HALF / 2 !== high || !isFiniteKey(bits[row] as number)) continue;
    const half = key & (HALF - 1);
    sizes[half] = (sizes[half] as number) + 1;
  }
  return sizes;
}

/** Finds the half that the key of rank `rank` has, and how many keys have a lower one. */
function placeOf(rank: number, sizes: Int32Array): {half: number; before: number} {
  let [half, before] = [0, 0];
  for (; half < HALF - 1 && before + (sizes[half] as number) < rank; half++) before += sizes[half] as number;
  return {half, before};
}

/** Turns the bits of a float32 into an int32 that is in the order of the floats; −0 is equal to 0. */
function keyOf(bits: number): number {
  return bits === -0x80000000 ? 0 : bits ^ ((bits >> 31) & 0x7fffffff);
}

function isFiniteKey(bits: number): boolean {
  return (bits & 0x7f800000) !== 0x7f800000;
}
