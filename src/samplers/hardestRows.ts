import {checkOptionNames, checkRatio} from '../checks';
import type {Sampler} from '../types';
import {restOf, withRescore} from './marks';
import {type DataSize, type EndingOptions, sampler} from './sampler';
import {markLargest} from './smallest';

const NAME = 'hardestRows';

export interface HardestRowsOptions extends EndingOptions {
  /** Share of the rows per epoch, in (0, 1]. */
  ratio: number;
}

/**
 * Trains on the rows of the data set with the largest losses.
 *
 *     epoch = the max(1, round(ratio · N)) largest losses
 *
 * `topK` over the data set instead of a batch. The other rows run forward at the end of the epoch,
 * in inference mode. {@link stale} does this only in some epochs, and saves most of these passes.
 *
 * @param options  see {@link HardestRowsOptions}.
 * @returns a sampler for `fitOhem({sampler})`. Its state is the number of rows.
 * @throws RangeError or TypeError for a wrong option.
 *
 * @example
 * const sampler = hardestRows({ratio: 0.5});
 * const scores = {losses: Float32Array.of(0.9, 0.1, 2, 0.3)};
 * const {rows, rescore} = sampler.choose(sampler.init(4), {epoch: 1, epochs: 10, seed: 0, scores});
 * rows;   // Int32Array [0, 2]
 * rescore;   // Int32Array [1, 3]
 *
 * @see Shrivastava, Gupta & Girshick, OHEM, CVPR 2016, §4 (arXiv:1604.03540), the rule within a
 *   batch
 */
export function hardestRows(options: HardestRowsOptions = {} as HardestRowsOptions): Sampler<DataSize> {
  checkOptionNames(NAME, options, ['ratio', 'delta']);
  const {ratio, delta} = options;
  checkRatio(NAME, 'ratio', ratio);
  return sampler(NAME, {
    delta,
    options: {ratio},
    init: (size) => ({size}),
    choose({size}, {scores: {losses}}) {
      return withRescore(restOf(markLargest(losses, Math.max(1, Math.round(ratio * size))), losses));
    },
  });
}
