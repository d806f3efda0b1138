import {add, cast, logicalAnd, maximum, minimum, range, sub, sum, type Tensor1D} from '@tensorflow/tfjs-core';
import {rangeError} from '../checks';
import {takeRows} from '../rows';
import type {Keep, Selector} from '../types';
import {asFloat, checkKeep, descending, firstPlaces, isRankable, keptOf, ofValidRows, rankable} from './ranking';
import {selector} from './selector';

const NAME = 'trimmedTopK';

export type TrimmedTopKOptions = Keep & {
  /** Number of the largest losses to skip: a share of the valid rows in [0, 1), or a count. */
  skip: number;
};

/**
 * Keeps the largest losses after skipping the very largest.
 *
 *     kept = argsort(losses, descending)[S … S + K),
 *     S = min(skip or round(skip · valid rows), usable rows − 1)
 *
 * For data with wrong labels: those have the largest losses of all, and plain {@link topK} trains
 * on little else once the model fits the rest. Skip about the share of labels that may be wrong.
 * Start when the losses separate them, after an epoch or so. `{ratio: 0.5, skip: 0.1}` keeps the
 * ranks from 10 % to 60 %. The skip always leaves at least one row.
 *
 * @param options  `k` or `ratio` and `minK`, as in {@link topK}; `skip`.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, hardest first,
 *   `K` at most `B − S`.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`.
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

  return selector(NAME, ({losses, rows, context: {valid}}) => {
    const batchSize = losses.size;
    const most = Math.min(skippedOf(batchSize), batchSize - 1);
    const kept = Math.min(keptOf(keep as Keep, batchSize), batchSize - most);
    const {values, indices} = descending(rankable(losses, rows), most + kept);

    const allButOne = sub(sum(cast(rows, 'float32')), 1);
    const skipped = maximum(minimum(ofValidRows(batchSize, valid, skippedOf), allButOne), 0);
    const places = add(range(0, kept, 1, 'int32'), cast(skipped, 'int32')) as Tensor1D;
    const found = isRankable(takeRows(values, places));
    const share = ofValidRows(batchSize, valid, (count) => keptOf(keep as Keep, count));
    return {indices: takeRows(indices, places), weights: asFloat(logicalAnd(found, firstPlaces(kept, share)))};
  });
}
