import {keep, randomUniform, type Tensor1D, tidy, topk} from '@tensorflow/tfjs-core';
import {aboveThreshold, topK} from 'ohem-tfjs';
import type {Contestant} from './interleaved';

/**
 * The selection alone, beside one `tf.topk`: three quarters of `size` losses, and those over a
 * threshold that a quarter of them pass.
 */
export function selections(size: number): Contestant[] {
  const losses: Tensor1D = keep(randomUniform([size]));
  const valid: Tensor1D = keep(randomUniform([size], 0, 2, 'int32'));
  const k = Math.round(0.75 * size);
  const [largest, overThreshold] = [topK({k}), aboveThreshold({loss: 0.75, minRatio: 1 / 16})];
  return [
    {name: `topk ${size}`, run: () => tidy(() => void topk(losses, k, true))},
    {name: `topK ${size}`, run: () => tidy(() => void largest(losses))},
    {name: `aboveThreshold ${size}`, run: () => tidy(() => void overThreshold(losses))},
    {name: `aboveThreshold ${size}, half of it valid`, run: () => tidy(() => void overThreshold(losses, {valid}))},
  ];
}
