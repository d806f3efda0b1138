/**
 * @file Pair losses, miners and metrics dispose all tensors but their results, also when they
 *   throw.
 */
import * as tf from '@tensorflow/tfjs-core';
import * as pairs from 'ohem-tfjs/pairs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';

const {batchHard, crossBatchMemory, semiHard, tripletMargin} = pairs;

const LOSSES = {
  tripletLoss: pairs.tripletLoss,
  contrastiveLoss: pairs.contrastiveLoss,
  marginLoss: pairs.marginLoss,
  multiSimilarityLoss: pairs.multiSimilarityLoss,
  ntXent: pairs.ntXent,
  supervisedContrastive: pairs.supervisedContrastive,
};
const MINERS = {
  angular: pairs.angular,
  batchEasyHard: pairs.batchEasyHard,
  batchHard,
  distanceWeighted: pairs.distanceWeighted,
  hardestShare: pairs.hardestShare,
  multiSimilarity: pairs.multiSimilarity,
  pairMargin: pairs.pairMargin,
  semiHard,
  tripletMargin,
};
const METRICS = {
  recallAtK: pairs.recallAtK,
  precisionAt1: pairs.precisionAt1,
  meanAveragePrecisionAtR: pairs.meanAveragePrecisionAtR,
};

/** Counts the tensors that a call leaves, without those of its result. */
function leftBy(call: () => tf.TensorContainer | undefined): number {
  const before = tf.memory().numTensors;
  try {
    const result = call();
    tf.dispose(result as tf.TensorContainer);
  } catch {}
  return tf.memory().numTensors - before;
}

/** The tensors of a result of a miner; those of a rule may be nested. */
const tensorsIn = ({triplets, ...rest}: pairs.Pairs): tf.TensorContainer => [
  ...Object.values(rest),
  ...(triplets ? [triplets.distances, ...(triplets.between ? [triplets.between] : [])] : []),
];

describeOnBackends('Outside of a tidy', () => {
  const given = () => ({
    y: tf.tensor1d([0, 0, 1, 1], 'int32'),
    column: tf.tensor2d([[0], [0], [1], [1]]),
    x: tf.tensor2d([
      [0, 1],
      [1, 1],
      [3, 2],
      [7, 1],
    ]),
    short: tf.tensor1d([0, 0, 1], 'int32'),
    wide: tf.ones([4, 3]) as tf.Tensor2D,
  });
  const throwing = (): never => {
    tf.zeros([3]);
    throw new Error('mine');
  };

  it.each(Object.entries(LOSSES))('%s leaves no tensor', (_, build) => {
    const {y, column, x, short, wide} = given();
    const memory = crossBatchMemory({size: 6});
    memory.add(x, y);
    for (const loss of [
      build(),
      build({mine: batchHard()}),
      build({mine: tripletMargin({margin: 9})}),
      build({memory}),
    ]) {
      for (const labels of [y, column]) {
        expect(leftBy(() => loss(labels, x))).toBe(0);
        expect(leftBy(() => (loss.valid as (y: tf.Tensor) => tf.Tensor)(labels))).toBe(0);
        expect(leftBy(() => tf.grad((e) => tf.sum(loss(labels, e)))(x))).toBe(0);
      }
    }
    expect(() => build({mine: throwing})(y, x)).toThrow('mine');
    expect(leftBy(() => build({mine: throwing})(y, x))).toBe(0);
    expect(leftBy(() => build({mine: () => ({}) as pairs.Pairs})(column, x))).toBe(0);
    expect(leftBy(() => build()(short, x))).toBe(0);
    expect(leftBy(() => build({memory})(y, wide))).toBe(0);
    memory.dispose();
  });

  it.each(Object.entries(MINERS))('%s leaves its result only', (_, build) => {
    const {y, column, x, short, wide} = given();
    const mine = build();
    for (const context of [{}, {reference: {embeddings: x, labels: column}}]) {
      expect(leftBy(() => tensorsIn(mine(x, column, context) as pairs.Pairs))).toBe(0);
    }
    expect(leftBy(() => tensorsIn(mine(x, short) as pairs.Pairs))).toBe(0);
    expect(leftBy(() => tensorsIn(mine(x, y, {reference: {embeddings: wide, labels: y}}) as pairs.Pairs))).toBe(0);
  });

  it.each(Object.entries(METRICS))('%s leaves its result only', (_, build) => {
    const {y, column, x, short, wide} = given();
    for (const options of [{}, {reference: {embeddings: x, labels: column}}]) {
      expect(leftBy(() => build(options)(column, x))).toBe(0);
    }
    expect(leftBy(() => build()(short, x))).toBe(0);
    expect(leftBy(() => build({reference: {embeddings: wide, labels: y}})(y, x))).toBe(0);
  });
});
