import {mul, sign, type Tensor} from '@tensorflow/tfjs-core';

/** `|x|`, whose gradient at 0 is 0: that of `tf.abs` is −1 there, and would move a prediction that is right. */
export function magnitude(x: Tensor): Tensor {
  return mul(x, sign(x));
}
