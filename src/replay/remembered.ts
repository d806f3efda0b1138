/** @file What is held of the latest things of a kind: recordings by the shapes of batches, ways back by their rows. */

interface Held {
  dispose(): void;
}

/** How many are held. */
const HELD = 8;

/** How many keys are counted, and how often one must have come before it takes the place of another. */
const COUNTED = 64;
const OFTEN = 2;

export type Remembered<T> = ReturnType<typeof remembered<T>>;

/** Holds the things that were asked for last. */
export function remembered<T>() {
  const held = new Map<string, T>();
  const counts = new Map<string, number>();
  const drop = (key: string): void => {
    const value = held.get(key);
    if (typeof value === 'object') (value as Held).dispose();
    held.delete(key);
  };
  return {
    get(key: string): T | undefined {
      const value = held.get(key);
      if (value === undefined) return undefined;
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
    /** Whether something new is worth the place of what is held: if there is room, or it has come often. */
    isWorth(key: string): boolean {
      const count = counts.get(key) ?? 0;
      counts.delete(key);
      counts.set(key, count + 1);
      for (const oldest of counts.keys()) if (counts.size > COUNTED) counts.delete(oldest);
      return held.size < HELD || count >= OFTEN;
    },
    drop,
    values: () => held.values(),
    clear(): void {
      for (const key of [...held.keys()]) drop(key);
    },
  };
}
