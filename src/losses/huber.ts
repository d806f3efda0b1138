import {div, maximum, minimum, mul, sub, type Tensor} from '@tensorflow/tfjs-core';
import {checkFinitePositive, checkOptionNames} from '../checks';
import type {PerSampleLoss} from '../types';
import {meanOfErrors} from './formula';

export interface HuberOptions {
  /** Error at which the parabola becomes a line, a finite number > 0. Default 1. */
  delta?: number;
}

export interface SmoothL1Options {
  /** Error at which the parabola becomes a line, a finite number > 0. Default 1. */
  beta?: number;
}

/**
 * Computes the Huber loss: quadratic for small errors, linear for large ones.
 *
 *     l = mean_d  ½ e²            if |e| ≤ δ,
 *                 δ (|e| − ½ δ)   otherwise,      e = yPred_d − yTrue_d
 *
 * For regression with outliers: no error has a gradient above δ / D. Both the loss and its slope
 * grow with δ; for a linear part of slope 1 at any bend use {@link smoothL1}.
 *
 * @param options  `delta`, δ, the error at which the parabola becomes a line (default 1).
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`, in squared units of the
 *   target.
 * @throws RangeError if `delta` is not a finite number > 0 (when it is built); TypeError if the
 *   shapes differ by more than a trailing axis of 1 (when it is called).
 *
 * @example
 * huber()(tf.tensor2d([[0, 1]]), tf.tensor2d([[3, 1.5]])).dataSync();   // Float32Array [1.3125]
 *
 * @see Huber, Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35(1),
 *   1964, §1
 */
export function huber(options: HuberOptions = {}): PerSampleLoss {
  checkOptionNames('huber', options, ['delta']);
  const {delta = 1} = options;
  checkFinitePositive('huber', 'delta', delta);
  return meanOfErrors(
    'huber',
    (errors) => bentSquares(errors, delta),
    (errors) => clipped(errors, delta),
  );
}

/**
 * Computes the smooth L1 loss: quadratic for small errors, of slope 1 for large ones.
 *
 *     l = mean_d  ½ e² / β        if |e| ≤ β,
 *                 |e| − ½ β       otherwise,      e = yPred_d − yTrue_d
 *
 * The box loss of Fast R-CNN and its successors; `huber({delta: β})` divided by β. The mean covers
 * the features, as in torch: for a detector that sums over the four sides of a box, multiply by 4.
 *
 * @param options  `beta`, β, the error at which the parabola becomes a line (default 1).
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`, in units of the target.
 * @throws RangeError if `beta` is not a finite number > 0 (when it is built; for 0 use
 *   {@link meanAbsoluteError}); TypeError if the shapes differ by more than a trailing axis of 1
 *   (when it is called).
 *
 * @example
 * smoothL1({beta: 0.5})(tf.tensor2d([[0, 1]]), tf.tensor2d([[3, 1.5]])).dataSync();   // Float32Array [1.5]
 *
 * @see Girshick, Fast R-CNN, ICCV 2015, §2.3, equation 3 (arXiv:1504.08083)
 */
export function smoothL1(options: SmoothL1Options = {}): PerSampleLoss {
  checkOptionNames('smoothL1', options, ['beta']);
  const {beta = 1} = options;
  checkFinitePositive('smoothL1', 'beta', beta);
  return meanOfErrors(
    'smoothL1',
    (errors) => div(bentSquares(errors, beta), beta),
    (errors) => clipped(errors, beta),
    1 / beta,
  );
}

/** Computes `c · (e − ½ c)`, where c is the error clipped to ±bend; its derivative is c. */
function bentSquares(errors: Tensor, bend: number): Tensor {
  const c = clipped(errors, bend);
  return mul(c, sub(errors, mul(c, 0.5)));
}

/**
 * Clips errors to ±bend without `clipByValue`: on webgl, a NaN makes that leave the other numbers
 * of its texel unclipped, which may belong to the next row.
 */
function clipped(errors: Tensor, bend: number): Tensor {
  return maximum(minimum(errors, bend), -bend);
}
