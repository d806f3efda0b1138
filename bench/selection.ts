import {keep, randomUniform, type Tensor1D, tidy, topk} from '@tensorflow/tfjs-core';
import {topK} from 'ohem-tfjs';
import type {Contestant} from './interleaved';

/** The selection alone, of three quarters of `size` losses, beside one `tf.topk` of the same. */
export function selections(size: number): Contestant[] {
  const losses: Tensor1D = keep(randomUniform([size]));
  const k = Math.round(0.75 * size);
  const select = topK({k});
  return [
    {name: `topk ${size}`, run: () => tidy(() => void topk(losses, k, true))},
    {name: `topK ${size}`, run: () => tidy(() => void select(losses))},
  ];
}
