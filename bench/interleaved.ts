import {type Tensor, zeros} from '@tensorflow/tfjs-core';

/** Something to be timed, once for each round. */
export interface Contestant {
  name: string;
  /** Runs before each timed run, untimed. */
  prepare?(): void;
  run(): unknown;
  /** Whether one run is enough to warm it up. */
  isSlow?: boolean;
}

export interface Timing {
  name: string;
  /** Median milliseconds by the clock of the measurement, over `runs` runs. */
  ms: number;
  runs: number;
}

/**
 * How long each contestant warms up: a step is some two hundred ops, whose JavaScript takes 8 ms at
 * first, and 2 once it has been compiled.
 */
const WARM_UP = {ms: 1000, runs: 25};

/**
 * How far the addresses of a round's tensors move, in numbers. One product of 784 × 1024 takes 33
 * ms at most addresses and 57 ms at some, the same ones in every round of a process: whoever
 * happens to get them would lose by a quarter.
 */
const MOVES = 250_000;

/** Milliseconds of the processor that this process has used. */
export function cpuClock(): number {
  const {user, system} = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Times contestants in turn, A B C, C B A, …, so that the drift of a noisy machine meets all of
 * them, once they are warm; the first round is not counted. A step takes up to a tenth longer after
 * one of another kind, which leaves the caches cold, so a fixed order would favour one of two equal
 * steps. Each round has its tensors at other addresses. Compare their medians as ratios:
 * milliseconds change from machine to machine and from hour to hour.
 *
 * @param clock  milliseconds: those on the wall, or of the processor by `cpuClock`.
 */
export async function interleaved(
  contestants: readonly Contestant[],
  rounds: number,
  clock: () => number = () => performance.now(),
): Promise<Timing[]> {
  const samples = new Map(contestants.map(({name}) => [name, [] as number[]]));
  for (const contestant of contestants) await warmUp(contestant);
  const moved: Tensor[] = [];
  for (let round = 0; round <= rounds; round++) {
    moved.push(zeros([1 + ((round * 7919) % MOVES)]), zeros([1 + ((round * 104_729) % MOVES)]));
    if (moved.length > 8) moved.splice(0, 3).forEach((tensor) => void tensor.dispose());
    for (const {name, prepare, run} of round % 2 === 0 ? contestants : [...contestants].reverse()) {
      prepare?.();
      const start = clock();
      await run();
      if (round > 0) samples.get(name)?.push(clock() - start);
    }
  }
  for (const tensor of moved) tensor.dispose();
  return [...samples].map(([name, times]) => ({name, ms: median(times), runs: times.length}));
}

async function warmUp({prepare, run, isSlow}: Contestant): Promise<void> {
  // Its round that is not counted will do.
  if (isSlow) return;
  const start = performance.now();
  for (let i = 0; i < WARM_UP.runs && performance.now() - start < WARM_UP.ms; i++) {
    prepare?.();
    await run();
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
