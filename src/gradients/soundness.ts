import {addN, isFinite as isFiniteTensor, type NamedTensorMap, type Scalar, scalar, sum} from '@tensorflow/tfjs-core';
import {columnSums} from './columnSums';

/**
 * Says whether gradients may be trained on, `bool[]`: whether all of them are finite.
 *
 * Finite losses do not promise that: a row that overflows inside the model is still in the products of the backward pass, as 0 · ∞, and √0 has
 * no finite gradient. One sum tells, since neither NaN nor ∞ ever adds up to a number.
 */
export function isSound(gradients: NamedTensorMap): Scalar {
  const sums = Object.values(gradients).map((gradient) =>
    sum<Scalar>(gradient.rank > 1 ? columnSums(gradient) : gradient),
  );
  return isFiniteTensor(addN([scalar(0), ...sums])) as Scalar;
}
