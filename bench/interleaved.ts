/** Something to be timed, once for each round. */
export interface Contestant {
  name: string;
  /** Runs before each timed run, untimed. */
  prepare?(): void;
  run(): unknown;
  /** Takes part in every so many rounds only, for what is very slow. Default 1. */
  everyRounds?: number;
}

export interface Timing {
  name: string;
  /** Median wall-clock milliseconds, of so many runs. */
  ms: number;
  runs: number;
}

/**
 * Times contestants in turn, A B C A B C …, so that the drift of a noisy machine meets all of them; the first round warms up.
 * Compare their medians as ratios: milliseconds change from machine to machine and from hour to hour.
 */
export async function interleaved(contestants: readonly Contestant[], rounds: number): Promise<Timing[]> {
  const samples = new Map(contestants.map(({name}) => [name, [] as number[]]));
  for (let round = 0; round <= rounds; round++) {
    for (const {name, prepare, run, everyRounds = 1} of contestants) {
      if (round % everyRounds !== 0) continue;
      prepare?.();
      const start = performance.now();
      await run();
      if (round > 0) samples.get(name)?.push(performance.now() - start);
    }
  }
  return [...samples].map(([name, times]) => ({name, ms: median(times), runs: times.length}));
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
