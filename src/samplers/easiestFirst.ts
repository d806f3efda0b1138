import {
  checkCount,
  checkFinitePositive,
  checkOneOf,
  checkOpenUnitInterval,
  checkOptionNames,
  typeError,
} from '../checks';
import type {Sampler} from '../types';
import {wholePart} from '../wholePart';
import {restOf, withRescore} from './marks';
import {type DataSize, type EndingOptions, sampler} from './sampler';
import {markSmallest} from './smallest';

const NAME = 'easiestFirst';

/** Growth of the share of rows over `growEpochs`. */
export type Pacing = 'linear' | 'geometric' | {root: number};

export interface EasiestFirstOptions extends EndingOptions {
  /** Initial share of the rows, in (0, 1). Default 0.2. */
  start?: number;
  /** First epoch that trains on all rows; an integer ≥ 1. */
  growEpochs: number;
  /** Growth of the share; `root` is a finite number > 0. Default `'linear'`. */
  pacing?: Pacing;
}

/**
 * Trains on the rows with the smallest losses, and on more of them each epoch.
 *
 *     epoch = the max(1, floor(share · N)) smallest losses,   t = min(1, epoch / growEpochs)
 *     share = start + (1 − start) · t                    'linear'
 *     share = start^(1 − t)                              'geometric'
 *     share = (start^p + (1 − start^p) · t)^(1 / p)      {root: p}
 *
 * Self-paced learning: the opposite of mining, and a control for it. The first epoch uses all rows,
 * to obtain their losses. Rows that are left out run forward at the end of the epoch, because their
 * losses fall too.
 *
 * @param options  see {@link EasiestFirstOptions}.
 * @returns a sampler for `fitOhem({sampler})`. Its state is the number of rows.
 * @throws RangeError or TypeError for a wrong option.
 *
 * @example
 * const sampler = easiestFirst({start: 0.25, growEpochs: 6});
 * const scores = {losses: Float32Array.of(0.9, 0.1, 2, 0.3)};
 * const at = {epochs: 10, seed: 0, scores};
 * const rowsAt = (epoch) => sampler.choose(sampler.init(4), {...at, epoch}).rows;
 * rowsAt(2);   // Int32Array [1, 3]
 * rowsAt(4);   // Int32Array [0, 1, 3]
 * rowsAt(6);   // Int32Array [0, 1, 2, 3]
 *
 * @see Kumar, Packer & Koller, Self-Paced Learning for Latent Variable Models, NIPS 2010, the
 *   section on self-paced learning; pacing by Wang, Chen & Zhu, A Survey on Curriculum Learning,
 *   2021 (arXiv:2010.13166)
 */
export function easiestFirst(options: EasiestFirstOptions = {} as EasiestFirstOptions): Sampler<DataSize> {
  checkOptionNames(NAME, options, ['start', 'growEpochs', 'pacing', 'delta']);
  const {start = 0.2, growEpochs, pacing = 'linear', delta} = options;
  checkOpenUnitInterval(NAME, 'start', start);
  checkCount(NAME, 'growEpochs', growEpochs);
  checkPacing(pacing);
  return sampler(NAME, {
    delta,
    options: {start, growEpochs, pacing},
    init: (size) => ({size}),
    choose({size}, {epoch, scores: {losses}}) {
      const share = shareAt(Math.min(1, epoch / growEpochs), start, pacing);
      return withRescore(restOf(markSmallest(losses, Math.max(1, wholePart(share * size))), losses));
    },
  });
}

function shareAt(t: number, start: number, pacing: Pacing): number {
  if (pacing === 'linear') return start + (1 - start) * t;
  if (pacing === 'geometric') return start ** (1 - t);
  const power = start ** pacing.root;
  return (power + (1 - power) * t) ** (1 / pacing.root);
}

function checkPacing(pacing: unknown): void {
  if (typeof pacing === 'string') {
    checkOneOf(NAME, 'pacing', pacing, ['linear', 'geometric']);
    return;
  }
  if (pacing === null || typeof pacing !== 'object') {
    throw typeError(NAME, 'pacing', "be 'linear', 'geometric' or {root}", pacing);
  }
  checkOptionNames(NAME, pacing, ['root']);
  checkFinitePositive(NAME, 'pacing.root', (pacing as {root: number}).root);
}
