import type {BackwardPass, BackwardStrategy} from './backwardPass';
import {masked} from './masked';
import {recompute} from './recompute';

/** Every way to the gradients, by name. */
export const backwardPasses: Record<BackwardStrategy, BackwardPass> = {masked, recompute};

export interface BackwardChoice {
  strategy: BackwardStrategy;
  /** Why, for people. */
  why: string;
}

/**
 * Chooses the cheaper way to the gradients of `kept` of `batchSize` rows, for `backward: 'auto'`.
 *
 * A backward pass costs about two forward passes over the same rows: `masked` takes 3·B row passes, `recompute` B + 3·K.
 */
export function chooseBackward(batchSize: number, kept: number): BackwardChoice {
  const ofMasked = 3 * batchSize;
  const ofRecompute = batchSize + 3 * kept;
  const costs = `${kept} of ${batchSize} rows are kept: recompute takes ${ofRecompute} row passes, masked ${ofMasked}`;
  return {strategy: ofRecompute < ofMasked ? 'recompute' : 'masked', why: costs};
}
