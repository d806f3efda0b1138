import {
  checkClosedUnitInterval,
  checkOpenUnitInterval,
  checkOptionNames,
  checkUnitInterval,
  rangeError,
  typeError,
} from '../checks';
import type {EpochRows, RowScores, Sampler} from '../types';
import {wholePart} from '../wholePart';
import {spareHardest, withRescore} from './marks';
import {type DataSize, type EndingOptions, sampler} from './sampler';
import {markSmallest} from './smallest';

const NAME = 'kakurenbo';

/** The decay of the authors' experiments. */
const AUTHORS_DECAY: readonly (readonly [number, number])[] = [
  [0, 1],
  [0.3, 0.8],
  [0.6, 0.6],
  [0.8, 0.4],
];

export interface KakurenboOptions extends EndingOptions {
  /** Largest share of the rows to hide, in (0, 1). Default 0.3. */
  fraction?: number;
  /**
   * Smallest probability of a correct prediction at which a row may be hidden, in [0, 1]. Default
   * 0.7. `null` for a model without classes: losses alone decide.
   */
  confidence?: number | null;
  /**
   * Pairs of a share of the run, which must increase, and the factor of `fraction` from then on, in
   * [0, 1]. Default `[[0, 1], [0.3, 0.8], [0.6, 0.6], [0.8, 0.4]]`.
   */
  decay?: readonly (readonly [from: number, factor: number])[];
  /** Whether the learning rate rises in proportion as the epoch shrinks. Default true. */
  scaleLearningRate?: boolean;
}

/**
 * Hides the rows with the smallest losses, if they are classified correctly and confidently.
 *
 *     candidates = the floor(F · N) smallest losses,   F = fraction · decay(epoch / epochs)
 *     hidden = {i in candidates : correct_i and confidence_i ≥ confidence}
 *     rate = rate · N / (N − |hidden|)
 *
 * KAKURENBO. Hidden rows run forward at the end of the epoch, in inference mode, so each loss is at
 * most one epoch old: all rows run forward, and fewer run backward. The confidence is the largest
 * class probability. (The authors' code takes the softmax over the batch, in training mode, and
 * scales the rate by `1 / (1 − F)` for any number of hidden rows.)
 *
 * @param options  see {@link KakurenboOptions}.
 * @returns a sampler for `fitOhem({sampler})`. It needs `scores.correct` and `scores.confidence`,
 *   unless `confidence` is null. Its state is the number of rows.
 * @throws RangeError or TypeError for a wrong option.
 *
 * @example
 * const sampler = kakurenbo({fraction: 0.5});
 * const scores = {
 *   losses: Float32Array.of(0.1, 0.2, 0.3, 2, 1, 3),
 *   correct: Uint8Array.of(1, 0, 1, 1, 1, 0),
 *   confidence: Float32Array.of(0.9, 0.8, 0.75, 0.9, 0.9, 0.5),
 * };
 * const chosen = sampler.choose(sampler.init(6), {epoch: 1, epochs: 10, seed: 0, scores});
 * chosen.rows;   // Int32Array [1, 3, 4, 5]
 * chosen.rescore;   // Int32Array [0, 2]
 * chosen.learningRateFactor;   // 1.5
 *
 * @see Nguyen et al., KAKURENBO: Adaptively Hiding Samples in Deep Neural Network Training, NeurIPS
 *   2023, the sections on hiding and moving back (arXiv:2310.10102)
 */
export function kakurenbo(options: KakurenboOptions = {}): Sampler<DataSize> {
  checkOptionNames(NAME, options, ['fraction', 'confidence', 'decay', 'scaleLearningRate', 'delta']);
  const {fraction = 0.3, confidence = 0.7, decay = AUTHORS_DECAY, scaleLearningRate = true, delta} = options;
  checkOpenUnitInterval(NAME, 'fraction', fraction);
  if (confidence !== null) checkClosedUnitInterval(NAME, 'confidence', confidence);
  checkDecay(decay);
  if (typeof scaleLearningRate !== 'boolean') {
    throw typeError(NAME, 'scaleLearningRate', 'be true or false', scaleLearningRate);
  }
  return sampler(NAME, {
    delta,
    options: {fraction, confidence, decay, scaleLearningRate},
    ...(confidence !== null && {needs: ['correct', 'confidence'] as const}),
    init: (size) => ({size}),
    choose({size}, {epoch, epochs, scores}): EpochRows {
      const most = fraction * factorAt(decay, epoch / epochs);
      const isHidden = markSmallest(scores.losses, wholePart(most * size));
      if (confidence !== null) moveBack(isHidden, scores, confidence);
      spareHardest(isHidden, scores.losses);
      const {rows, rescore} = withRescore(isHidden);
      if (rescore === undefined) return {rows};
      return {rows, rescore, ...(scaleLearningRate && {learningRateFactor: size / rows.length})};
    },
  });
}

function factorAt(decay: readonly (readonly [number, number])[], share: number): number {
  return decay.reduce((factor, [from, next]) => (from <= share ? next : factor), 1);
}

/** Unhides candidates that are classified wrongly or without confidence. */
function moveBack(isHidden: Uint8Array, {correct, confidence}: RowScores, least: number): void {
  // In float32, because a float32 probability of 0.7 is below the float64 0.7.
  const leastFloat = Math.fround(least);
  for (let row = 0; row < isHidden.length; row++) {
    if (isHidden[row] === 0) continue;
    const isSure = correct?.[row] === 1 && (confidence?.[row] as number) >= leastFloat;
    isHidden[row] = isSure ? 1 : 0;
  }
}

function checkDecay(decay: readonly (readonly [number, number])[]): void {
  if (!Array.isArray(decay) || !decay.every((step) => Array.isArray(step) && step.length === 2)) {
    throw typeError(
      NAME,
      'decay',
      'be a list of pairs [share of the run, factor]',
      decay,
      'Pass [[0, 1], [0.5, 0.5]].',
    );
  }
  decay.forEach(([from, factor], i) => {
    checkUnitInterval(NAME, `decay[${i}][0]`, from);
    checkClosedUnitInterval(NAME, `decay[${i}][1]`, factor);
    const before = decay[i - 1]?.[0] ?? -1;
    if (!(from > before)) throw rangeError(NAME, `decay[${i}][0]`, `be above the previous share, ${before}`, from);
  });
}
