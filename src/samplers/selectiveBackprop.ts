import {checkClosedUnitInterval, checkFinitePositive, checkOptionNames} from '../checks';
import {uniformFrom} from '../random';
import type {Sampler} from '../types';
import {restOf, spareHardest, withRescore} from './marks';
import {type DataSize, type EndingOptions, sampler} from './sampler';

const NAME = 'selectiveBackprop';

/** Number of losses from which percentiles are computed, as in the paper's history. */
const COMPARED = 1024;

export interface SelectiveBackpropOptions extends EndingOptions {
  /** Steepness: how fast chances rise with the percentile; > 0. The paper uses 1 to 3. */
  power: number;
  /** Smallest chance of a row, in [0, 1]. Default 0. */
  minProbability?: number;
}

/**
 * Trains on each row with a chance of its own: a power of the percentile of its loss.
 *
 *     P(row i) = max(minProbability, F(l_i)^power),
 *     F(l) = share of 1,024 losses of the data set < l;   ½ if all of them are l
 *
 * Selective-Backprop over the data set, about 1 / (power + 1) of it; {@link percentileSampling}
 * does the same within a batch. The other rows run forward at the end of the epoch, in inference
 * mode. With {@link stale} this is Stale-SB, which the paper found to be faster.
 *
 * @param options  see {@link SelectiveBackpropOptions}.
 * @returns a sampler for `fitOhem({sampler})`. Its state is the number of rows.
 * @throws RangeError or TypeError for a wrong option.
 *
 * @example
 * const sampler = stale(selectiveBackprop({power: 1, minProbability: 0.1}), {every: 3});
 * const scores = {losses: Float32Array.from({length: 1000}, (_, row) => row)};
 * const {rows} = sampler.choose(sampler.init(1000), {epoch: 1, epochs: 10, seed: 0, scores});
 * rows.length > 400 && rows.length < 600;   // true
 *
 * @see Jiang et al., Selective-Backprop, 2019, §3 (arXiv:1910.00762)
 */
export function selectiveBackprop(
  options: SelectiveBackpropOptions = {} as SelectiveBackpropOptions,
): Sampler<DataSize> {
  checkOptionNames(NAME, options, ['power', 'minProbability', 'delta']);
  const {power, minProbability = 0, delta} = options;
  checkFinitePositive(NAME, 'power', power);
  checkClosedUnitInterval(NAME, 'minProbability', minProbability);
  return sampler(NAME, {
    delta,
    options: {power, minProbability},
    init: (size) => ({size}),
    choose(_, {seed, epoch, scores: {losses}}) {
      const uniform = uniformFrom(`${NAME} ${seed}/${epoch}`);
      const compared = sortedSample(losses, uniform);
      const isKept = new Uint8Array(losses.length);
      for (let row = 0; row < losses.length; row++) {
        const drawn = uniform();
        // Equals drawn < F^power, with the root taken of the draw.
        const share = drawn < minProbability ? -1 : drawn ** (1 / power);
        isKept[row] = isOverShare(losses[row] as number, share, compared) ? 1 : 0;
      }
      const isLeftOut = restOf(isKept, losses);
      spareHardest(isLeftOut, losses);
      return withRescore(isLeftOut);
    },
  });
}

/** Whether more than `share` of the losses, in rising order, are smaller. */
function isOverShare(loss: number, share: number, rising: Float32Array): boolean {
  if (share < 0) return true;
  // With a share of 0, rows that are all equal would never be trained on, and so never change.
  if (loss === rising[0] && loss === rising[rising.length - 1]) return share < 0.5;
  return (rising[Math.floor(share * rising.length)] as number) < loss;
}

/** Draws some of the finite losses, or all of them if there are few, in rising order. */
function sortedSample(losses: Float32Array, uniform: () => number): Float32Array {
  const drawn =
    losses.length <= COMPARED
      ? losses
      : Float32Array.from({length: COMPARED}, () => losses[Math.floor(uniform() * losses.length)] as number);
  return drawn.filter(Number.isFinite).sort();
}
