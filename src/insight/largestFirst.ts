/** A loss to rank by: what is not finite is harder than everything. */
export const hardness = (loss: number): number => (Number.isFinite(loss) ? loss : Number.POSITIVE_INFINITY);

/** Places are gathered in at least this much room before they are sorted and the lesser ones dropped. */
const ROOM = 256;

/**
 * Finds the places with the largest keys without sorting all of them: O(size · log count), and little more than one look at each
 * where `count` is small.
 *
 * @param keyOf  the key of a place; a place whose key is NaN is left out.
 * @returns at most `count` places, largest key first; equal keys in the order of the places.
 */
export function largestFirst(size: number, count: number, keyOf: (place: number) => number): Int32Array {
  const room = Math.max(2 * count, ROOM);
  let found: number[] = [];
  /** What a later place has to exceed: so many before it have as large a key. */
  let bar = Number.NEGATIVE_INFINITY;
  const keepLargest = () => {
    // Infinity − Infinity is NaN, which is no difference either.
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
