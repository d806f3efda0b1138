/**
 * @file Cross-entropy of single elements (pixels, anchors), the mined part of it, and its gradient;
 *   for the oracle values of peers.
 */
import * as tf from '@tensorflow/tfjs-core';
import {type SelectionContext, type Selector, sparseCategoricalCrossentropy} from 'ohem-tfjs';
import {softmaxOracle} from './lossOracles';
import {keptRows} from './selections';

/** Elements with their logits, one row each. */
export interface Elements {
  logits: number[][];
  labels: number[];
  classWeights?: number[];
}

export interface Mined {
  /** The elements that are kept, in the order of the batch. */
  kept: number[];
  /** Their losses, summed. */
  sum: number;
  /** The gradient of that sum, with respect to the logits of each element. */
  gradient: number[];
}

export const IGNORED = 255;

/** Logits as `[N, C, …]` have them, as rows of `C`. */
export function channelsLast(flat: readonly number[], [images, classes, ...rest]: readonly number[]): number[][] {
  const pixels = rest.reduce((product, size) => product * size, 1);
  return Array.from({length: (images as number) * pixels}, (_, element) => {
    const [image, pixel] = [Math.floor(element / pixels), element % pixels];
    return Array.from(
      {length: classes as number},
      (__, c) => flat[(image * (classes as number) + c) * pixels + pixel] as number,
    );
  });
}

/** What the library keeps, and the sum of those losses with its gradient. */
export function mine(
  {logits, labels, classWeights}: Elements,
  select: Selector,
  context: SelectionContext = {},
): Mined {
  return tf.tidy(() => {
    const loss = sparseCategoricalCrossentropy({
      fromLogits: true,
      ignoreLabel: IGNORED,
      ...(classWeights && {classWeights}),
    });
    const [yTrue, yPred] = [tf.tensor1d(labels, 'int32'), tf.tensor2d(logits)];
    const losses = loss(yTrue, yPred) as tf.Tensor1D;
    const {indices, weights} = select(losses, {valid: loss.valid?.(yTrue) as tf.Tensor1D, ...context});
    const kept = keptRows({indices: [...indices.dataSync()], weights: [...weights.dataSync()]});
    const counts = tf.tensor1d(labels.map((_, element) => (kept.includes(element) ? 1 : 0)));
    const {value, grad} = tf.valueAndGrad((x) => tf.sum(tf.mul(counts, loss(yTrue, x))))(yPred);
    return {kept: kept.sort((a, b) => a - b), sum: value.dataSync()[0] as number, gradient: [...grad.dataSync()]};
  }) as Mined;
}

/** The same in plain JavaScript, for a given set of elements. */
export function minedOracle({logits, labels, classWeights}: Elements, kept: readonly number[]): Mined {
  const weight = (element: number) => classWeights?.[labels[element] as number] ?? 1;
  const probabilities = logits.map(softmaxOracle);
  const loss = (element: number) =>
    -weight(element) * Math.log(probabilities[element]?.[labels[element] as number] as number);
  return {
    kept: [...kept],
    sum: kept.reduce((sum, element) => sum + loss(element), 0),
    gradient: probabilities.flatMap((ofClasses, element) =>
      ofClasses.map((p, c) => (kept.includes(element) ? weight(element) * (p - (c === labels[element] ? 1 : 0)) : 0)),
    ),
  };
}

/** The positions of the ones in a mask. */
export const ones = (mask: readonly number[]) => mask.flatMap((mark, element) => (mark === 1 ? [element] : []));
