import type {Provenance} from '../../studies/command/keptFile';
import type {Study} from '../../studies/kit/study';

export interface CountingOptions {
  /** Waits so long at each step. */
  pause?: () => Promise<void>;
  /** Told when a seed begins, and when its training is over or given up. */
  log?: string[];
}

/**
 * A study that trains nothing: it counts to its number of steps, and the content of a seed is what
 * it has counted.
 */
export function countingStudy({pause = async () => {}, log = []}: CountingOptions = {}): Study<number[]> {
  return {
    name: 'counting',
    about: 'counts',
    seeds: 3,
    steps: 10,
    settings: (steps) => ({steps, by: 'one'}),
    async *train(seed, _, {steps}) {
      const counted: number[] = [];
      log.push(`seed ${seed}`);
      try {
        for (let step = 1; step <= steps; step++) {
          await pause();
          counted.push(100 * seed + step);
          yield step / steps;
        }
      } finally {
        log.push('over');
      }
      return counted;
    },
    report: (seeds) => ({summary: {largest: Math.max(...seeds.flat())}, figures: {}}),
  };
}

export const countingProvenance = (changes: Partial<Provenance> = {}): Provenance => ({
  study: 'counting',
  settings: {steps: 10, by: 'one'},
  versions: {tfjs: '4.22.0', node: '20.0.0'},
  ...changes,
});

/** Studies that count need no digits. */
export const noDigits = {
  train: {count: 0, images: new Uint8Array(), labels: new Uint8Array()},
  test: {count: 0, images: new Uint8Array(), labels: new Uint8Array()},
};
