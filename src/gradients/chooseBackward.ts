import type {BackwardPass, BackwardStrategy} from './backwardPass';
import {masked} from './masked';
import {pruned} from './pruned';
import type {Pruning} from './pruning';
import {recompute} from './recompute';

/** Every way to the gradients, by name. */
export const backwardPasses: Record<BackwardStrategy, BackwardPass> = {masked, pruned, recompute};

export interface BackwardChoice {
  strategy: BackwardStrategy;
  /** Why, for people. */
  why: string;
}

/** What is known of pruning a model; the reason, where it cannot be done. */
export type PruningFound = ({pruning: Pruning; reason?: undefined} | {pruning?: undefined; reason: string}) & {
  /** Whether the kept rows by themselves are known to give what they give among all rows. */
  isRowByRow: boolean;
};

/**
 * Chooses the cheapest way to the gradients of `kept` of `batchSize` rows.
 *
 * A backward pass costs about two forward passes over the same rows: `masked` takes 3·B row passes, `recompute` B + 3·K, and `pruned` B + 2·K, as far
 * as the backward pass can be cut.
 */
export function chooseBackward(
  batchSize: number,
  kept: number,
  found: PruningFound,
  asked: 'auto' | BackwardStrategy,
): BackwardChoice {
  const {pruning, reason, isRowByRow} = found;
  const passes = {
    masked: 3 * batchSize,
    ...(pruning && {pruned: batchSize + 2 * (pruning.share * kept + (1 - pruning.share) * batchSize)}),
    // Where rows mix, or may do so, the kept ones alone are another batch (normalised by themselves, for one): that has to be asked for.
    ...(isRowByRow && {recompute: batchSize + 3 * kept}),
  };
  const candidates = (Object.keys(passes) as (keyof typeof passes)[]).filter(
    (name) => asked === 'auto' || name === asked || name === 'masked',
  );
  const cheapest = candidates.reduce((best, next) =>
    (passes[next] as number) < (passes[best] as number) ? next : best,
  );
  const strategy = asked !== 'auto' && candidates.includes(asked) ? asked : cheapest;
  const counts = Object.entries(passes).map(([name, rows]) => `${name} ${Math.round(rows as number)}`);
  const limits = reason ?? (pruning?.blocker && `all rows run backward from ${pruning.blocker} on`);
  const costs = `${kept} of ${batchSize} rows are kept, which takes row passes: ${counts.join(', ')}`;
  return {strategy, why: limits ? `${costs}; ${reason ? `not pruned, since ${limits}` : limits}` : costs};
}
