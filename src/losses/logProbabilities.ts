import {
  add,
  where as chooseEach,
  div,
  equal,
  exp,
  getBackend,
  log,
  max,
  maximum,
  mul,
  neg,
  ones,
  relu,
  reshape,
  softmax,
  square,
  step,
  sub,
  sum,
  type Tensor,
} from '@tensorflow/tfjs-core';
import {type GpuKernel, runGpuKernel, runsGpuKernels} from '../gpu';
import {isForHostKernel, runHostKernel} from '../hostKernel';
import {withGradient} from './formula';
import {FEW_CLASSES, HUGE, MOST_CLASSES, ON_GPU, ON_HOST, TINY} from './surpriseKernels';

/** Natural logarithm of probabilities, at least log(2⁻¹²⁶) = −87.3; NaN for NaN. */
export function logOf(probabilities: Tensor): Tensor {
  const positive = maximum(probabilities, TINY);
  const logarithm = log(positive);
  // WebGPU may return a number for log(NaN), which would make an invalid row an easy one.
  return getBackend() === 'webgpu' ? add(logarithm, mul(positive, 0)) : logarithm;
}

/**
 * Converts a gradient by `logOf(p)` to one by `p`: `d / p`, and almost 0 if `p` is clipped.
 *
 * Uses arithmetic: on wasm a comparison and a `where` take several times as long on large tensors.
 */
export function throughLog(d: Tensor, p: Tensor): Tensor {
  const isClipped = step(sub(TINY, p));
  return div(d, add(p, mul(isClipped, HUGE)));
}

/**
 * Computes class log-probabilities `float32[B, …, C]` from logits or from probabilities.
 *
 * From logits `x − log Σ eˣ`; from probabilities `log (p / Σ p)`, which need not sum to 1, as in
 * Keras. A row of zeros gives log TINY. The custom gradient avoids that of a division, which
 * squares the sum and may underflow.
 */
export function logProbabilitiesOf(yPred: Tensor, fromLogits = false): Tensor {
  return withGradient(yPred, fromLogits ? logSoftmax : logShares, (dy, x) => throughSurprise(neg(dy), x, fromLogits));
}

function logSoftmax(logits: Tensor): Tensor {
  const shifted = sub(logits, max(logits, -1, true));
  return sub(shifted, log(sum(exp(shifted), -1, true)));
}

function logShares(probabilities: Tensor): Tensor {
  return logOf(div(probabilities, add(sum(probabilities, -1, true), TINY)));
}

/**
 * Computes `−Σ_c t_c · log p_c`, for the `log p` of {@link logProbabilitiesOf}. Off any tape it is
 * one kernel: on cpu and wasm with the bits of the ops.
 */
export function surprise(targets: Tensor, yPred: Tensor, fromLogits: boolean): Tensor {
  const classes = yPred.shape.at(-1) as number;
  const shape = yPred.shape.slice(0, -1);
  if (isForHostKernel(targets, yPred)) {
    return runHostKernel(fromLogits ? ON_HOST.ofLogits : ON_HOST.ofShares, [targets, yPred], shape);
  }
  if (classes <= MOST_CLASSES && runsGpuKernels()) {
    const rows = yPred.size / classes;
    const matrices = [targets, yPred].map((tensor) => reshape(tensor, [rows, classes]));
    return reshape(runGpuKernel(fromLogits ? ON_GPU.ofLogits : ON_GPU.ofShares, matrices, [rows], [classes]), shape);
  }
  return neg(sum(mul(targets, logProbabilitiesOf(yPred, fromLogits)), -1));
}

/** Computes the gradient of `−Σ_c t_c · log p_c` by the logits of a softmax `p`. */
export function surpriseOfSoftmax(targets: Tensor, p: Tensor): Tensor {
  const classes = p.shape.at(-1) as number;
  if (isForHostKernel(targets, p)) return runHostKernel(ON_HOST.ofSoftmax, [targets, p], p.shape);
  if (classes <= FEW_CLASSES && runsGpuKernels()) return byClasses(ON_GPU.ofSoftmax, targets, p);
  return sub(mul(sum(targets, -1, true), p), targets);
}

/** Runs a kernel that computes one number for each class of each row. */
function byClasses(kernel: GpuKernel, given: Tensor, predicted: Tensor): Tensor {
  const classes = predicted.shape.at(-1) as number;
  const shape = [predicted.size / classes, classes];
  const matrices = [given, predicted].map((tensor) => reshape(tensor, shape));
  return reshape(runGpuKernel(kernel, matrices, shape, [classes]), predicted.shape);
}

/** The gradient by `yPred` of `Σ d · −log p`, for the `log p` of {@link logProbabilitiesOf}. */
export function throughSurprise(d: Tensor, yPred: Tensor, fromLogits: boolean): Tensor {
  const classes = yPred.shape.at(-1) as number;
  if (!fromLogits && isForHostKernel(d, yPred)) return runHostKernel(ON_HOST.throughShares, [d, yPred], yPred.shape);
  if (!fromLogits && classes <= FEW_CLASSES && runsGpuKernels()) return byClasses(ON_GPU.throughShares, d, yPred);
  const ofRows = sum(d, -1, true);
  if (fromLogits) return sub(mul(softmax(yPred), ofRows), d);
  const totals = sum(yPred, -1, true);
  // A row of zeros has no sum to divide by.
  const divisors = chooseEach(equal(totals, 0), ones(totals.shape), totals);
  return sub(div(ofRows, divisors), throughLog(d, yPred));
}

/**
 * Multiplies losses by `missing^γ`.
 *
 * @param missing  1 minus the probability of the true label.
 * @param gamma  one exponent, or one for each loss.
 */
export function focused(losses: Tensor, missing: Tensor, gamma: number | Tensor): Tensor {
  return gamma === 0 ? losses : mul(losses, power(missing, gamma));
}

/** The derivative of {@link focused}, from the slopes of the losses and of `missing`. */
export function focusedSlopes<T extends Tensor | number>(
  losses: Tensor,
  slopes: T,
  missing: Tensor,
  missingSlopes: Tensor,
  gamma: number | Tensor,
): Tensor | T {
  if (gamma === 0) return slopes;
  const ofPower = throughLog(mul(mul(losses, missingSlopes), gamma), missing);
  return mul(power(missing, gamma), add(slopes, ofPower));
}

/**
 * Computes `missing^γ` with gradient 0 at `missing` = 0, for which `tf.pow` gives NaN if γ < 1.
 */
export function power(missing: Tensor, gamma: number | Tensor): Tensor {
  if (gamma === 2) return square(relu(missing));
  return mul(exp(mul(logOf(missing), gamma)), step(missing));
}
