/** How many values half the bits of a key can have. */
const HALF = 2 ** 16;

/**
 * Marks the `count` rows with the smallest finite losses by 1, in O(N) and without sorting. Ties go
 * to the lower row.
 */
export function markSmallest(losses: Float32Array, count: number): Uint8Array {
  return markFirst(losses, count, 0);
}

/** Marks the `count` rows with the largest finite losses by 1. Ties go to the lower row. */
export function markLargest(losses: Float32Array, count: number): Uint8Array {
  return markFirst(losses, count, -1);
}

/** Finds the key of rank `count` in two rounds, one half of its bits after the other. */
function markFirst(losses: Float32Array, count: number, flip: 0 | -1): Uint8Array {
  const marks = new Uint8Array(losses.length);
  const bits = new Int32Array(losses.buffer, losses.byteOffset, losses.length);
  const highs = highHalves(bits, flip);
  const rank = Math.min(
    count,
    highs.reduce((sum, size) => sum + size, 0),
  );
  if (rank === 0) return marks;
  const high = placeOf(rank, highs);
  const low = placeOf(rank - high.before, lowHalves(bits, flip, high.half));
  const last = (high.half - HALF / 2) * HALF + low.half;
  let ties = rank - high.before - low.before;
  for (let row = 0; row < bits.length; row++) {
    const key = keyOf(bits[row] as number) ^ flip;
    if (key === last && ties > 0 && isFiniteFloat(bits[row] as number)) {
      ties--;
      marks[row] = 1;
    } else {
      marks[row] = key < last && isFiniteFloat(bits[row] as number) ? 1 : 0;
    }
  }
  return marks;
}

/** Counts the finite losses by the higher half of their keys. */
function highHalves(bits: Int32Array, flip: number): Int32Array {
  const sizes = new Int32Array(HALF);
  for (let row = 0; row < bits.length; row++) {
    if (!isFiniteFloat(bits[row] as number)) continue;
    const half = ((keyOf(bits[row] as number) ^ flip) >> 16) + HALF / 2;
    sizes[half] = (sizes[half] as number) + 1;
  }
  return sizes;
}

/** Counts those with a given higher half by the lower one. */
function lowHalves(bits: Int32Array, flip: number, high: number): Int32Array {
  const sizes = new Int32Array(HALF);
  for (let row = 0; row < bits.length; row++) {
    const key = keyOf(bits[row] as number) ^ flip;
    if ((key >> 16) + HALF / 2 !== high || !isFiniteFloat(bits[row] as number)) continue;
    const half = key & (HALF - 1);
    sizes[half] = (sizes[half] as number) + 1;
  }
  return sizes;
}

/** Finds the half that the key of rank `rank` has, and how many keys have a lower one. */
function placeOf(rank: number, sizes: Int32Array): {half: number; before: number} {
  let [half, before] = [0, 0];
  for (; before + (sizes[half] as number) < rank; half++) before += sizes[half] as number;
  return {half, before};
}

/**
 * Turns the bits of a float32 into an int32 that is in the order of the floats; −0 is equal to 0.
 */
function keyOf(bits: number): number {
  return bits === -0x80000000 ? 0 : bits ^ ((bits >> 31) & 0x7fffffff);
}

/** Says whether the float32 with these bits is finite. */
function isFiniteFloat(bits: number): boolean {
  return (bits & 0x7f800000) !== 0x7f800000;
}
