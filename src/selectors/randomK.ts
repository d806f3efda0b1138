import {gather, randomUniform, type Tensor1D, tidy} from '@tensorflow/tfjs-core';
import type {Keep, Selector} from '../types';
import {checkKeep} from './keep';
import {keepLargest, rankable, reordered, selectable} from './ranking';

export type RandomKOptions = Keep & {
  /** Same seed and same `context.step`, same rows, on every backend. Default 0. */
  seed?: number;
};

/**
 * Keeps a uniform draw of the examples, without replacement.
 *
 *     kept = argsort(u, descending)[0 … K),   u ~ Uniform(0, 1)^B seeded by (seed, step)
 *
 * The control that tells "hard" from "fewer": mining has to beat it at the same `K`. The draw changes with
 * `context.step`, which the trainers count; called by hand without it, it is the same draw every time.
 *
 * @param options  `k`, how many to keep, an integer ≥ 1, or `ratio` and `minK` as in {@link topK}; `seed`, default 0.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, the drawn rows hardest first.
 *   Non-finite losses and rows that are not valid are not drawn; where there are too few others, the rest gets weight 0.
 * @throws RangeError if `k` or `minK` is not an integer ≥ 1 or `ratio` is not in (0, 1]; TypeError if there is neither
 *   `k` nor `ratio`, or both (when the selector is built), or if `losses` is not `[B]` (when it is called).
 *
 * @example
 * const some = randomK({ratio: 0.5, seed: 7});
 * some(tf.tensor1d([0.1, 0.9, 0.3, 0.2]), {step: 12}).indices.size;   // 2
 */
export function randomK({seed = 0, ...keep}: RandomKOptions = {} as RandomKOptions): Selector {
  checkKeep('randomK', keep as Keep, ['seed']);
  return (losses: Tensor1D, context = {}) =>
    tidy(() => {
      const rows = selectable('randomK', losses, context);
      // A text seed: tfjs takes the number 0 for "no seed".
      const keys = randomUniform(losses.shape, 0, 1, 'float32', `${seed}/${context.step ?? 0}`) as Tensor1D;
      const drawn = keepLargest(rankable(keys, rows), keep as Keep, context);
      return reordered(drawn, gather(losses, drawn.indices));
    });
}
