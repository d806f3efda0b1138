/** @file A cache of the latest items of a kind: recordings by batch shapes, or walks by rows. */

interface Held {
  dispose(): void;
}

/** Number of cached items. */
const HELD = 8;

/**
 * Number of counted keys, and the maximum of a count. After `COUNTED` requests, all counts are
 * halved.
 */
const COUNTED = 64;
const MOST = 16;

export type Remembered<T> = ReturnType<typeof remembered<T>>;

/** Caches the most recently used items. */
export function remembered<T>() {
  const held = new Map<string, T>();
  const counts = new Map<string, number>();
  let total = 0;
  // Maps keep insertion order: the first key is the least recently used. Mostly one key is
  // requested again and again, which needs no new order.
  let newest: string | undefined;
  let latest: string | undefined;
  const count = (key: string): number => {
    const times = Math.min((counts.get(key) ?? 0) + 1, MOST);
    if (key !== latest) counts.delete(key);
    latest = key;
    counts.set(key, times);
    if (counts.size > COUNTED) counts.delete(counts.keys().next().value as string);
    if (++total % COUNTED === 0) for (const [other, of] of counts) counts.set(other, of >> 1);
    return times;
  };
  const drop = (key: string): void => {
    const value = held.get(key);
    if (typeof value === 'object') (value as Held).dispose();
    held.delete(key);
    if (key === newest) newest = undefined;
  };
  return {
    get(key: string): T | undefined {
      const value = held.get(key);
      if (value === undefined) return undefined;
      count(key);
      if (key === newest) return value;
      held.delete(key);
      held.set(key, value);
      newest = key;
      return value;
    },
    set(key: string, value: T): void {
      drop(key);
      held.set(key, value);
      newest = key;
      for (const oldest of held.keys()) if (held.size > HELD) drop(oldest);
    },
    /**
     * Whether a new item is worth caching: if there is room, or it is requested more often than the
     * item it would replace.
     */
    isWorth(key: string): boolean {
      const times = count(key);
      const [oldest] = held.keys();
      return held.size < HELD || times > (counts.get(oldest as string) ?? 0);
    },
    drop,
    values: () => held.values(),
    clear(): void {
      for (const key of [...held.keys()]) drop(key);
    },
  };
}
