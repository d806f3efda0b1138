/** The rank of a loss: a loss that is not finite is harder than all others. */
export const hardness = (loss: number): number => (Number.isFinite(loss) ? loss : Number.POSITIVE_INFINITY);

/** Smallest size of the buffer of candidates, which is sorted and cut when it is full. */
const ROOM = 256;

/**
 * Finds the places with the largest keys without sorting all of them.
 *
 * O(size · log count), and close to a single pass if `count` is small.
 *
 * @param keyOf  the key of a place; a place with a NaN key is left out.
 * @returns at most `count` places, largest key first; equal keys in the order of the places.
 */
export function largestFirst(size: number, count: number, keyOf: (place: number) => number): Int32Array {
  const room = Math.max(2 * count, ROOM);
  let found: number[] = [];
  /** Key that a later place must exceed: `count` earlier places have at least this key. */
  let bar = Number.NEGATIVE_INFINITY;
  const keepLargest = () => {
    // Infinity − Infinity is NaN, which also counts as equal.
    found = found.sort((a, b) => keyOf(b) - keyOf(a) || a - b).slice(0, count);
    if (found.length === count) bar = keyOf(found[count - 1] as number);
  };
  for (let place = 0; place < size; place++) {
    const key = keyOf(place);
    if (key > bar || (key === bar && found.length < count)) found.push(place);
    if (found.length === room) keepLargest();
  }
  keepLargest();
  return Int32Array.from(found);
}
