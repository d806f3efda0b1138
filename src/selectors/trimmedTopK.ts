import {add, cast, logicalAnd, maximum, minimum, range, sub, sum, type Tensor1D, tidy} from '@tensorflow/tfjs-core';
import {rangeError} from '../checks';
import type {Keep, Selector} from '../types';
import {firstPlaces, ofValidRows, valuesAt} from './counts';
import {descending} from './descending';
import {checkKeep, keptOf, shareOf} from './keep';
import {asWeights, isRankable, rankable, selectable} from './ranking';

const NAME = 'trimmedTopK';

export type TrimmedTopKOptions = Keep & {
  /** How many of the very largest are left out: a share of the valid rows, in [0, 1), or a count, an integer ≥ 1. */
  skip: number;
};

/**
 * Keeps the largest losses after leaving out the very largest.
 *
 *     kept = argsort(losses, descending)[S … S + K),   S = min(skip or round(skip · valid rows), usable rows − 1)
 *
 * For data with wrong labels: those have the largest losses of all, and plain {@link topK} trains on little else once the rest is
 * learned. Leave out about the share of labels that you think are wrong, and begin when the losses tell them apart, after an epoch or so.
 * `k` and `ratio` say what is kept after the skip; the ratio is still one of all valid rows, so `{ratio: 0.5, skip: 0.1}` keeps the ranks
 * from 10 % to 60 %. A skip never takes the last row: a batch is not left without any.
 *
 * @param options  `k`, how many to keep, an integer ≥ 1, or `ratio` and `minK` as in {@link topK}; `skip`, a ratio in [0, 1) or an
 *   integer count.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, hardest first, `K` at most `B − S`. Ties keep the
 *   lower index; where fewer rows can be used than `K`, the rest gets weight 0.
 * @throws RangeError if `k` or `minK` is not an integer ≥ 1, `ratio` is not in (0, 1] or `skip` is neither a ratio in [0, 1) nor an
 *   integer; TypeError if there is neither `k` nor `ratio`, or both (when the selector is built), or if `losses` is not `[B]`
 *   (when it is called).
 *
 * @example
 * const trimmed = trimmedTopK({k: 2, skip: 1});
 * trimmed(tf.tensor1d([0.1, 9.5, 0.3, 0.7])).indices.dataSync();   // Int32Array [3, 2]
 */
export function trimmedTopK({skip, ...keep}: TrimmedTopKOptions = {} as TrimmedTopKOptions): Selector {
  checkKeep(NAME, keep as Keep, ['skip']);
  if (!(typeof skip === 'number' && ((skip >= 0 && skip < 1) || Number.isInteger(skip)) && skip >= 0)) {
    throw rangeError(NAME, 'skip', 'be a ratio in [0, 1) or an integer >= 1', skip);
  }
  const skippedOf = (rows: number) => (skip < 1 ? Math.round(skip * rows) : skip);

  return (losses, context = {}) =>
    tidy(() => {
      const rows = selectable(NAME, losses, context);
      const batchSize = losses.size;
      const most = Math.min(skippedOf(batchSize), batchSize - 1);
      const kept = Math.min(keptOf(keep as Keep, batchSize), batchSize - most);
      const {values, indices} = descending(rankable(losses, rows), most + kept);

      const allButOne = sub(sum(cast(rows, 'float32')), 1);
      const skipped = maximum(minimum(ofValidRows(batchSize, context.valid, skippedOf), allButOne), 0);
      const places = add(range(0, kept, 1, 'int32'), cast(skipped, 'int32')) as Tensor1D;
      const found = isRankable(valuesAt(values, places));
      const share = ofValidRows(batchSize, context.valid, (valid) => keep.k ?? shareOf(keep as {ratio: number}, valid));
      return {
        indices: valuesAt(indices, places),
        weights: asWeights(logicalAnd(found, firstPlaces(kept, share))),
      };
    });
}
