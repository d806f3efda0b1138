import {add, mul, step, sub} from '@tensorflow/tfjs-core';
import {checkNotNegative} from '../checks';
import type {DistanceOptions} from './distances';
import {anyOf, farthestOf, nearestOf} from './extremes';
import {checkMinerOptions, miner} from './miner';
import type {Miner} from './mining';

const NAME = 'multiSimilarity';

export interface MultiSimilarityOptions extends DistanceOptions {
  /** Tolerance by which a pair may be easier; a finite number ≥ 0. Default 0.1. */
  epsilon?: number;
}

/**
 * Mines positives less similar than the nearest negative, and negatives likewise.
 *
 *     s_ap − ε < max_N s_an,    s_an + ε > min_S s_ap
 *
 * For a distance `s = −d`. An anchor without a positive or a negative has no pairs.
 *
 * @param options  `epsilon`; `distance`, `normalize`; default: those of the loss, or `'cosine'`
 *   without a loss.
 * @returns a miner, `(float32[B, D], int32[B])` → pairs of shape `[B, B]`.
 * @throws RangeError or TypeError for a wrong option; TypeError if the shapes do not fit.
 *
 * @example
 * const mine = multiSimilarity();
 * const {negatives} = mine(tf.tensor2d([[1, 0], [0, 1], [1, 1]]), tf.tensor1d([0, 0, 1], 'int32'));
 * negatives.dataSync();   // Float32Array [0, 0, 1, 0, 0, 1, 0, 0, 0]
 *
 * @see Wang et al., Multi-Similarity Loss, 2019, §3.2 (arXiv:1904.06627)
 */
export function multiSimilarity(options: MultiSimilarityOptions = {}): Miner {
  checkMinerOptions(NAME, options, ['epsilon']);
  const {epsilon = 0.1} = options;
  checkNotNegative(NAME, 'epsilon', epsilon);
  return miner(NAME, {...options, byDefault: 'cosine'}, ({distances, positives, negatives}) => {
    const both = mul(anyOf(positives), anyOf(negatives));
    const isHardPositive = step(sub(add(distances, epsilon), nearestOf(distances, negatives)));
    const isHardNegative = step(sub(add(farthestOf(distances, positives), epsilon), distances));
    return {
      positives: mul(mul(positives, both), isHardPositive),
      negatives: mul(mul(negatives, both), isHardNegative),
    };
  });
}
