/** Offset and number of the key bits that each round of the search finds, highest first. */
const ROUNDS = [
  [21, 11],
  [10, 11],
  [0, 10],
] as const;

const SIGN = -0x80000000;

/**
 * Marks the `count` smallest finite losses with 1, in O(N) without a sort; ties keep the lower row.
 */
export function markSmallest(losses: Float32Array, count: number): Uint8Array {
  return markFirst(losses, count, 0);
}

/** Marks the `count` largest finite losses with 1; ties keep the lower row. */
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

/** Finds the last of the first `rank` keys, and the number of smaller keys. */
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

/** Counts the keys with the bits found so far, by their next bits. */
function countDigits(
  bits: Int32Array,
  flip: number,
  {found, shift, width}: {found: number; shift: number; width: number},
): Int32Array {
  const sizes = new Int32Array(2 ** width);
  // In unsigned order.
  const order = flip ^ SIGN;
  for (let row = 0; row < bits.length; row++) {
    const key = keyOf(bits[row] as number) ^ order;
    // Two shifts, because a shift by 32 does nothing.
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

/** Maps the bits of a float32 to an int32 in the same order; −0 equals 0. */
function keyOf(bits: number): number {
  return bits === SIGN ? 0 : bits ^ ((bits >> 31) & 0x7fffffff);
}

/** Whether the float32 with these bits is finite. */
function isFiniteFloat(bits: number): boolean {
  return (bits & 0x7f800000) !== 0x7f800000;
}
