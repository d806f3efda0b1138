import {
  addN,
  all,
  isFinite as isFiniteTensor,
  logicalOr,
  type NamedTensorMap,
  type Scalar,
  sum,
  type Tensor1D,
} from '@tensorflow/tfjs-core';
import {columnSums} from './columnSums';

/**
 * Says whether gradients of a whole batch may be trained on, `bool[]`: all its losses were finite, or the gradients are all the same.
 *
 * A row that overflows inside the model is still in the products of the backward pass, as 0 · ∞: then the whole step must not
 * count. One sum tells, since neither NaN nor ∞ ever adds up to a number.
 */
export function isSound(losses: Tensor1D, gradients: NamedTensorMap): Scalar {
  const sums = Object.values(gradients).map((gradient) =>
    sum<Scalar>(gradient.rank > 1 ? columnSums(gradient) : gradient),
  );
  return logicalOr(all(isFiniteTensor(losses)), isFiniteTensor(addN(sums))) as Scalar;
}
