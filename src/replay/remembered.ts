/** @file What is held of the latest things of a kind: recordings by the shapes of batches, ways back by their rows. */

interface Held {
  dispose(): void;
}

/** How many are held. */
const HELD = 8;

/** How many keys are counted, and up to how many times. After so many times in all, each count is halved. */
const COUNTED = 64;
const MOST = 16;

export type Remembered<T> = ReturnType<typeof remembered<T>>;

/** Holds the things that were asked for last. */
export function remembered<T>() {
  const held = new Map<string, T>();
  const counts = new Map<string, number>();
  let total = 0;
  const count = (key: string): number => {
    const times = Math.min((counts.get(key) ?? 0) + 1, MOST);
    counts.delete(key);
    counts.set(key, times);
    for (const oldest of counts.keys()) if (counts.size > COUNTED) counts.delete(oldest);
    if (++total % COUNTED === 0) for (const [other, of] of counts) counts.set(other, of >> 1);
    return times;
  };
  const drop = (key: string): void => {
    const value = held.get(key);
    if (typeof value === 'object') (value as Held).dispose();
    held.delete(key);
  };
  return {
    get(key: string): T | undefined {
      const value = held.get(key);
      if (value === undefined) return undefined;
      count(key);
      // Maps are in the order of their entries: the first is the one that was asked for least lately.
      held.delete(key);
      held.set(key, value);
      return value;
    },
    set(key: string, value: T): void {
      drop(key);
      held.set(key, value);
      for (const oldest of held.keys()) if (held.size > HELD) drop(oldest);
    },
    /** Whether something new is worth a place: if there is room, or it comes more often than what has to go. */
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
