import {checkNotNegative, checkUnitInterval} from '../checks';
import type {TrainingProgress} from '../types';

/** A learning rate that depends only on the completed share of the run. */
export type RateByProgress = (at: Pick<TrainingProgress, 'progress'>) => number;

/** Builds a learning rate from its formula; after the end the last rate stays. */
export function rateByProgress(where: string, formula: (progress: number) => number): RateByProgress {
  return (at) => {
    checkNotNegative(where, 'progress', at?.progress);
    return formula(Math.min(1, at.progress));
  };
}

/** Prepends a linear rise from 0 to `peak` to a formula. */
export function warmedUp(
  where: string,
  {warmup, peak}: {warmup: number; peak: number},
  formula: (progress: number) => number,
): RateByProgress {
  checkUnitInterval(where, 'warmup', warmup);
  return rateByProgress(where, (progress) => (progress < warmup ? peak * (progress / warmup) : formula(progress)));
}

/** Interpolates between two rates along half a cosine, as `share` goes from 0 to 1. */
export function halfCosine(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
}
