import {checkNotNegative, checkUnitInterval} from '../checks';
import type {TrainingProgress} from '../types';

/** A learning rate that depends on the share of the run that is done, and on nothing else. */
export type RateByProgress = (at: Pick<TrainingProgress, 'progress'>) => number;

/** Builds a learning rate from its formula; beyond the end the rate stays. */
export function rateByProgress(where: string, formula: (progress: number) => number): RateByProgress {
  return (at) => {
    checkNotNegative(where, 'progress', at?.progress);
    return formula(Math.min(1, at.progress));
  };
}

/** Puts a linear rise from 0 to `peak` before a formula. */
export function warmedUp(
  where: string,
  {warmup, peak}: {warmup: number; peak: number},
  formula: (progress: number) => number,
): RateByProgress {
  checkUnitInterval(where, 'warmup', warmup);
  return rateByProgress(where, (progress) => (progress < warmup ? peak * (progress / warmup) : formula(progress)));
}

/** Moves from one rate to another along half a cosine, as `share` goes from 0 to 1. */
export function halfCosine(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
}
