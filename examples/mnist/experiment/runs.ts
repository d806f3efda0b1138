import type {Run} from './results';

/** The four runs of the original, and the control that tells "hard" from "fewer". */
export const DEFAULT_RUNS = '512/512,1024/512,512/384,1024/128,512/384-random';

/**
 * Reads runs as they are typed: `n/k` for the k hardest of n rows, `n/k-random` or `n/k random` for
 * k of n at random.
 *
 *     512/384,512/384-random → 384 of 512, the hardest in one run, any in the other
 *
 * @param subject  what errors call the text.
 * @throws RangeError if the text is not such a list, if k is not in 1 … n, or if a run is there
 *   twice.
 */
export function parseRuns(text: string, subject = 'parseRuns: text'): Run[] {
  const runs = text.split(',').map((part) => parseRun(part.trim(), subject));
  const twice = runs.find(({name}, index) => runs.findIndex((other) => other.name === name) < index);
  if (twice) throw new RangeError(`${subject} must name each run once, got ${twice.name} twice.`);
  return runs;
}

function parseRun(text: string, subject: string): Run {
  const [, n, k, random] = /^(\d+)\/(\d+)([ -]random)?$/.exec(text) ?? [];
  if (n === undefined || k === undefined) {
    throw new RangeError(`${subject} must be runs like 512/384 or 512/384-random, got ${text || 'nothing'}.`);
  }
  const run = {n: Number(n), k: Number(k)};
  if (run.k < 1 || run.k > run.n) throw new RangeError(`${subject} must have k from 1 to n, got ${text}.`);
  const name = `${run.n}/${run.k}`;
  return random ? {name: `${name} random`, ...run, rule: 'random'} : {name, ...run, rule: 'hardest'};
}
