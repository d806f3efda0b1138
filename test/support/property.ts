/**
 * How properties are tried: always on the same random cases, so that a failure is found again.
 * fast-check prints the smallest one.
 */
export const RUNS = {seed: 160_403_540, numRuns: 120} as const;

/**
 * Uniform numbers in [0, 1) from a seed (mulberry32, public domain, T. Ettinger), to fill tensors
 * with.
 */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Runs `f` while `Math.random`, which tfjs seeds its initializers from, gives the same numbers
 * every time.
 */
export function repeatably<T>(f: () => T, seed = RUNS.seed): T {
  const random = Math.random;
  Math.random = randomFrom(seed);
  try {
    return f();
  } finally {
    Math.random = random;
  }
}
