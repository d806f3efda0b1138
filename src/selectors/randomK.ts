import {randomUniform, type Tensor1D} from '@tensorflow/tfjs-core';
import {checkSeed} from '../checks';
import {takeRows} from '../rows';
import type {Keep, Selector} from '../types';
import type {DrawOptions} from './noise';
import {checkKeep, keepLargest, rankable, reordered} from './ranking';
import {selector} from './selector';

export type RandomKOptions = Keep & DrawOptions;

/**
 * Keeps a uniform draw of the examples, without replacement.
 *
 *     kept = argsort(u, descending)[0 … K),   u ~ Uniform(0, 1)^B seeded by (seed, step)
 *
 * The control that separates "hard" from "fewer": mining must beat it at the same `K`. The draw
 * changes with `context.step`, which the trainers advance.
 *
 * @param options  `k` or `ratio` and `minK`, as in {@link topK}; `seed`.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, hardest first.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`.
 *
 * @example
 * const some = randomK({ratio: 0.5, seed: 7});
 * some(tf.tensor1d([0.1, 0.9, 0.3, 0.2]), {step: 12}).indices.size;   // 2
 */
export function randomK({seed = 0, ...keep}: RandomKOptions = {} as RandomKOptions): Selector {
  checkKeep('randomK', keep as Keep, ['seed']);
  checkSeed('randomK', seed);
  return selector('randomK', ({losses, rows, context}) => {
    // A string seed, because tfjs treats the number 0 as "no seed".
    const keys = randomUniform(losses.shape, 0, 1, 'float32', `${seed}/${context.step ?? 0}`) as Tensor1D;
    const drawn = keepLargest(rankable(keys, rows), keep as Keep, context);
    return reordered(drawn, takeRows(losses, drawn.indices));
  });
}
