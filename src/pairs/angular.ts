import {add, mul, step, sub, type Tensor} from '@tensorflow/tfjs-core';
import {checkOptionNames, rangeError} from '../checks';
import {distancesBetween, spaceOf} from './distances';
import {miner} from './miner';
import type {Miner} from './mining';

const NAME = 'angular';

export interface AngularOptions {
  /** Angle at the negative that triplets must exceed, in degrees, in (0, 90). Default 20. */
  degrees?: number;
}

/**
 * Mines all triplets with a large angle at the negative.
 *
 *     arctan(‖a − p‖ / (2 ‖n − c‖)) > degrees,    c = (a + p) / 2
 *
 * The angle does not depend on scale. Embeddings are normalised to length 1.
 *
 * @param options  `degrees`.
 * @returns a miner, `(float32[B, D], int32[B])` → pairs of shape `[B, B]`, with the rule in
 *   `triplets`.
 * @throws RangeError or TypeError for a wrong option; TypeError if the shapes do not fit.
 *
 * @example
 * const loss = tripletLoss({mine: angular({degrees: 20}), margin: 0.5});
 * loss(tf.tensor1d([0, 0, 1], 'int32'), tf.tensor2d([[1, 0], [0, 1], [1, 1]])).dataSync();   // Float32Array [1.148847, 1.148847, 0]
 *
 * @see Wang et al., Deep Metric Learning with Angular Loss, 2017, §3.2 (arXiv:1708.01682)
 */
export function angular(options: AngularOptions = {}): Miner {
  checkOptionNames(NAME, options, ['degrees']);
  const {degrees = 20} = options;
  if (!(degrees > 0 && degrees < 90)) throw rangeError(NAME, 'degrees', 'be in (0, 90)', degrees);
  const always = spaceOf(NAME, {distance: 'squaredEuclidean'}, 'squaredEuclidean');
  const limit = Math.tan((degrees * Math.PI) / 180) ** 2;
  return miner(NAME, {always}, ({distances, positives, negatives, others, isOwn, space}) => ({
    positives: mul(positives, 1),
    negatives: mul(negatives, 1),
    triplets: {
      distances: mul(distances, 1),
      between: isOwn ? mul(distances, 1) : distancesBetween(space, others.rows, others.rows),
      // Median of a triangle: 4 ‖n − c‖² = 2 d_an² + 2 d_pn² − d_ap².
      keeps: (ofPositive, ofNegative, between) => {
        const median = sub(mul(add(ofNegative, between as Tensor), 2), ofPositive);
        return step(sub(ofPositive, mul(median, limit)));
      },
    },
  }));
}
