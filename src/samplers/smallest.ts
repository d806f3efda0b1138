/**
 * Where the bits of a key are that each round of the search finds, from the highest on, and how
 * many.
 */
const ROUNDS = [
  [21, 11],
  [10, 11],
  [0, 10],
] as const;

const SIGN = -0x80000000;

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

function markFirst(losses: Float32Array, count: number, flip: 0 | -1): Uint8Array {
  const marks = new Uint8Array(losses.length);
  const bits = new Int32Array(losses.buffer, losses.byteOffset, losses.length);
  const rank = Math.min(count, countFinite(losses));
  if (rank === 0) return marks;
  const {last, before} = keyOfRank(rank, bits, flip);
  let ties = rank - before;
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

/** Finds the last of the first `rank` keys, and how many are smaller. */
function keyOfRank(rank: number, bits: Int32Array, flip: number): {last: number; before: number} {
  let [found, before] = [0, 0];
  for (const [shift, width] of ROUNDS) {
    const sizes = countDigits(bits, flip, {found, shift, width});
    let digit = 0;
    for (; before + (sizes[digit] as number) < rank; digit++) before += sizes[digit] as number;
    found |= digit << shift;
  }
  return {last: found ^ SIGN, before};
}

/** Counts the keys whose higher bits were found, by their next ones. */
function countDigits(
  bits: Int32Array,
  flip: number,
  {found, shift, width}: {found: number; shift: number; width: number},
): Int32Array {
  const sizes = new Int32Array(2 ** width);
  // In the order of numbers without a sign.
  const order = flip ^ SIGN;
  for (let row = 0; row < bits.length; row++) {
    const key = keyOf(bits[row] as number) ^ order;
    // A shift by 32 would be none.
    const isOther = ((key ^ found) >>> (shift + width - 1)) >>> 1 !== 0;
    if (isOther || !isFiniteFloat(bits[row] as number)) continue;
    const digit = (key >>> shift) & (sizes.length - 1);
    sizes[digit] = (sizes[digit] as number) + 1;
  }
  return sizes;
}

/** Counts the rows whose loss is finite. */
export function countFinite(losses: Float32Array): number {
  let count = 0;
  for (let row = 0; row < losses.length; row++) count += Number.isFinite(losses[row]) ? 1 : 0;
  return count;
}

/**
 * Turns the bits of a float32 into an int32 that is in the order of the floats; −0 is equal to 0.
 */
function keyOf(bits: number): number {
  return bits === SIGN ? 0 : bits ^ ((bits >> 31) & 0x7fffffff);
}

/** Says whether the float32 with these bits is finite. */
function isFiniteFloat(bits: number): boolean {
  return (bits & 0x7f800000) !== 0x7f800000;
}
