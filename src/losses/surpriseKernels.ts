/** @file The cross-entropy of targets and predictions, and its gradients, as single kernels. */

import {gpuKernel} from '../gpu';
import {type Host, hostKernel} from '../hostKernel';

/**
 * The smallest normal float32. It only keeps log(0) finite, and 1 / p stays correct down to 1e-38.
 * tfjs clips at 1e-7, so an example with p < 1e-7 gets a gradient of exactly 0.
 */
export const TINY = 2 ** -126;

/** Divisor for clipped probabilities, which makes their gradient almost 0. */
export const HUGE = 2 ** 127;

const INPUTS = ['Targets', 'Predicted'];

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

// Called at once: bundlers drop the result if it is not used.
export const ON_HOST = /* @__PURE__ */ (() => ({
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
  throughShares: hostKernel('OhemThroughSurprise', INPUTS, ({read, add}, classes) => {
    const [given, p] = [read('Targets'), read('Predicted')];
    const gradient = new Float32Array(p.length);
    for (let start = 0; start < p.length; start += classes) {
      let [ofRow, total] = [0, 0];
      for (let at = start; at < start + classes; at++) {
        ofRow = add(ofRow, given[at] as number);
        total = add(total, p[at] as number);
      }
      const share = fround(fround(ofRow) / (fround(total) === 0 ? 1 : fround(total)));
      for (let at = start; at < start + classes; at++) {
        const divisor = fround((p[at] as number) + (fround(TINY - (p[at] as number)) > 0 ? HUGE : 0));
        gradient[at] = share - fround((given[at] as number) / divisor);
      }
    }
    return gradient;
  }),
}))();

/** Number of classes up to which one thread of a GPU adds them up. */
export const MOST_CLASSES = 4096;

/** Number of classes up to which each thread of a row adds up all of them. */
export const FEW_CLASSES = 64;

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

export const ON_GPU = /* @__PURE__ */ (() => ({
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
  throughShares: gpuKernel({
    name: 'OhemThroughSurprise',
    inputs: INPUTS,
    dtype: 'float32',
    integers: ['classes'],
    code: `
      float ofRow = 0.0;
      float total = 0.0;
      for (int i = 0; i < classes; i++) {
        ofRow += getTargets(row, i);
        total += getPredicted(row, i);
      }
      if (total == 0.0) { total = 1.0; }
      float divisor = getPredicted(row, column);
      if (divisor < ${TINY}) { divisor += ${HUGE}; }
      setOutput(ofRow / total - getTargets(row, column) / divisor);`,
  }),
}))();
