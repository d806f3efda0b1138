/** @file The cross-entropy of targets and predictions, and its gradient by the logits of a softmax. */

import {mul, neg, reshape, sub, sum, type Tensor} from '@tensorflow/tfjs-core';
import {gpuKernel, runGpuKernel, runsGpuKernels} from '../gpu';
import {type Host, hostKernel, isForHostKernel, runHostKernel} from '../hostKernel';
import {logProbabilitiesOf, TINY} from './logProbabilities';

const INPUTS = ['Targets', 'Predicted'];

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
  if (classes <= FEW_CLASSES && runsGpuKernels()) {
    const matrices = [targets, p].map((tensor) => reshape(tensor, [-1, classes]));
    return reshape(runGpuKernel(ON_GPU.ofSoftmax, matrices, [p.size / classes, classes], [classes]), p.shape);
  }
  return sub(mul(sum(targets, -1, true), p), targets);
}

const {fround} = Math;

/** Adds up the products of targets and logarithms in each row, with the opposite sign. */
function negativeProducts({read, add}: Host, logs: Float32Array, classes: number): Float32Array {
  const targets = read('Targets');
  const losses = new Float32Array(logs.length / classes);
  for (let row = 0; row < losses.length; row++) {
    let total = 0;
    for (let at = row * classes; at < (row + 1) * classes; at++) {
      total = add(total, fround((targets[at] as number) * (logs[at] as number)));
    }
    losses[row] = -total;
  }
  return losses;
}

const ON_HOST = {
  ofShares: hostKernel('OhemSurprise', INPUTS, (host, classes) => {
    const p = host.read('Predicted');
    const shares = new Float32Array(p.length);
    for (let start = 0; start < p.length; start += classes) {
      let total = 0;
      for (let at = start; at < start + classes; at++) total = host.add(total, p[at] as number);
      total = fround(fround(total) + TINY);
      for (let at = start; at < start + classes; at++) {
        const share = fround((p[at] as number) / total);
        shares[at] = share < TINY ? TINY : share;
      }
    }
    return negativeProducts(host, host.apply('Log', shares), classes);
  }),
  ofLogits: hostKernel('OhemSurpriseOfLogits', INPUTS, (host, classes) => {
    const logs = Float32Array.from(host.read('Predicted'));
    for (let start = 0; start < logs.length; start += classes) {
      let largest = Number.NEGATIVE_INFINITY;
      for (let at = start; at < start + classes; at++) largest = Math.max(largest, logs[at] as number);
      for (let at = start; at < start + classes; at++) logs[at] = (logs[at] as number) - largest;
    }
    const powers = host.apply('Exp', logs);
    const totals = new Float32Array(logs.length / classes);
    for (let row = 0; row < totals.length; row++) {
      let total = 0;
      for (let at = row * classes; at < (row + 1) * classes; at++) total = host.add(total, powers[at] as number);
      totals[row] = total;
    }
    const ofRows = host.apply('Log', totals);
    for (let at = 0; at < logs.length; at++) {
      logs[at] = (logs[at] as number) - (ofRows[Math.floor(at / classes)] as number);
    }
    return negativeProducts(host, logs, classes);
  }),
  ofSoftmax: hostKernel('OhemSurpriseOfSoftmax', INPUTS, ({read, add}, classes) => {
    const [targets, p] = [read('Targets'), read('Predicted')];
    const gradient = new Float32Array(p.length);
    for (let start = 0; start < p.length; start += classes) {
      let total = 0;
      for (let at = start; at < start + classes; at++) total = add(total, targets[at] as number);
      total = fround(total);
      for (let at = start; at < start + classes; at++) {
        gradient[at] = fround(total * (p[at] as number)) - (targets[at] as number);
      }
    }
    return gradient;
  }),
};

/** Number of classes up to which one thread of a GPU adds them up. */
const MOST_CLASSES = 4096;

/** Number of classes up to which each thread of a row adds up all of them. */
const FEW_CLASSES = 64;

/** Code that adds up over the classes of a row, and gives NaN if some number is not finite. */
const overClasses = (first: string, second: string) => `
  float total = 0.0;
  float flaw = 0.0;
  ${first}
  float sum = 0.0;
  for (int i = 0; i < classes; i++) {
    float x = getPredicted(row, i);
    float share = getTargets(row, i);
    if (!isNumber(x) || !isNumber(share)) { flaw = 1.0; }
    ${second}
  }
  if (flaw > 0.0) { sum = NAN; }
  setOutput(sum);`;

const ON_GPU = {
  ofShares: gpuKernel({
    name: 'OhemSurprise',
    inputs: INPUTS,
    dtype: 'float32',
    integers: ['classes'],
    code: overClasses(
      'for (int i = 0; i < classes; i++) { total += getPredicted(row, i); }',
      `sum -= share * log(max(x / (total + ${TINY}), ${TINY}));`,
    ),
  }),
  ofLogits: gpuKernel({
    name: 'OhemSurpriseOfLogits',
    inputs: INPUTS,
    dtype: 'float32',
    integers: ['classes'],
    code: overClasses(
      `float largest = getPredicted(row, 0);
       for (int i = 1; i < classes; i++) { largest = max(largest, getPredicted(row, i)); }
       for (int i = 0; i < classes; i++) { total += exp(getPredicted(row, i) - largest); }`,
      'sum -= share * (x - largest - log(total));',
    ),
  }),
  ofSoftmax: gpuKernel({
    name: 'OhemSurpriseOfSoftmax',
    inputs: INPUTS,
    dtype: 'float32',
    integers: ['classes'],
    code: `
      float total = 0.0;
      for (int i = 0; i < classes; i++) { total += getTargets(row, i); }
      setOutput(total * getPredicted(row, column) - getTargets(row, column));`,
  }),
};
