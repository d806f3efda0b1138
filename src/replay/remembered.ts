/** How many batch shapes, and ways back for each, are remembered. */
const REMEMBERED = 4;

/** Remembers something under a key, and disposes the oldest if there are too many. */
export function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  // Maps are in the order of their entries: the first is the oldest.
  for (const [oldest, held] of map) {
    if (map.size <= REMEMBERED) break;
    disposeOf(held);
    map.delete(oldest);
  }
}

/** Forgets everything, and disposes it. */
export function disposeAll(map: Map<string, unknown>): void {
  for (const held of map.values()) disposeOf(held);
  map.clear();
}

function disposeOf(held: unknown): void {
  if (typeof held === 'object') (held as {dispose(): void}).dispose();
}
