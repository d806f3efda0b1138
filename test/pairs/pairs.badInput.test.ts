/**
 * @file What batches without pairs, without labels or without numbers give: never NaN but for
 *   the row itself.
 */
import * as tf from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from 'ohem-tfjs';
import {
  angular,
  batchEasyHard,
  batchHard,
  contrastiveLoss,
  crossBatchMemory,
  distanceWeighted,
  embeddingSpread,
  hardestShare,
  marginLoss,
  meanAveragePrecisionAtR,
  multiSimilarity,
  multiSimilarityLoss,
  ntXent,
  pairMargin,
  precisionAt1,
  recallAtK,
  semiHard,
  supervisedContrastive,
  tripletLoss,
  tripletMargin,
} from 'ohem-tfjs/pairs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {inProduction} from '../support/tensors';

const LOSSES: Record<string, () => PerSampleLoss> = {
  'triplets of batchHard': () => tripletLoss({mine: batchHard(), margin: 1}),
  'triplets of batchEasyHard': () => tripletLoss({mine: batchEasyHard(), margin: 1}),
  'triplets of semiHard, swap': () => tripletLoss({mine: semiHard(), margin: 1, swap: true}),
  'triplets of tripletMargin, soft': () => tripletLoss({mine: tripletMargin({margin: 9}), soft: true}),
  'triplets of angular': () => tripletLoss({mine: angular(), margin: 1, perAnchor: 'meanNonZero'}),
  'pairs of pairMargin': () => contrastiveLoss({mine: pairMargin()}),
  'pairs of hardestShare': () => contrastiveLoss({mine: hardestShare()}),
  'raw pairs': () => contrastiveLoss({normalize: false}),
  marginLoss: () => marginLoss({mine: distanceWeighted({seed: 2})}),
  multiSimilarityLoss: () => multiSimilarityLoss({mine: multiSimilarity()}),
  ntXent: () => ntXent({temperature: 0.1}),
  supervisedContrastive: () => supervisedContrastive({temperature: 0.1}),
};

const SIZE = 6;
const points = (seed = 4) => tf.randomNormal([SIZE, 3], 0, 1, 'float32', seed);
const lossesAndGradient = (loss: PerSampleLoss, yTrue: tf.Tensor, yPred: tf.Tensor) => {
  const losses = loss(yTrue, yPred);
  // Of the rows that have a loss, as the trainers do.
  const weights = tf.cast(tf.isFinite(losses), 'float32').dataSync();
  const gradient = tf.grads((x, w) => tf.sum(tf.where(tf.isFinite(loss(yTrue, x)), tf.mul(loss(yTrue, x), w), 0)))([
    yPred,
    tf.tensor1d(weights),
  ])[0] as tf.Tensor;
  return {losses: Array.from(losses.dataSync()), gradient: Array.from(gradient.dataSync())};
};

describeOnBackends('A loss of pairs', () => {
  describe.each(Object.entries(LOSSES))('of %s', (name, build) => {
    it('is 0, with a gradient of 0, for a batch with nothing to compare', () => {
      for (const yTrue of [tf.tensor1d([7], 'int32'), tf.tensor2d([7], [1, 1], 'int32')]) {
        const {losses, gradient} = lossesAndGradient(build(), yTrue, tf.tensor2d([[1, 2, 3]]));
        expect([...losses, ...gradient].map(Math.abs)).toEqual([0, 0, 0, 0]);
      }
    });

    it('is finite for one class, a class a row, equal embeddings and zeros', () => {
      for (const labels of [new Array(SIZE).fill(3), [0, 1, 2, 3, 4, 5], [0, 0, 1, 1, 2, -2]]) {
        for (const yPred of [points(), tf.ones<tf.Rank.R2>([SIZE, 3]), tf.zeros<tf.Rank.R2>([SIZE, 3])]) {
          const {losses, gradient} = lossesAndGradient(build(), tf.tensor1d(labels, 'int32'), yPred);
          expect([...losses, ...gradient].every(Number.isFinite)).toBe(true);
        }
      }
    });

    it.each([0.5, Number.NaN, 2 ** 25])(
      'in production is NaN for a row with the label %d, and that of a batch without it for all others',
      (label) => {
        const yTrue = tf.tensor1d([0, 1, label, 0, 1, 1]);
        const rows = [0, 1, 3, 4, 5];
        inProduction(() => {
          const all = lossesAndGradient(build(), yTrue, points());
          const alone = lossesAndGradient(build(), tf.gather(yTrue, rows), tf.gather(points(), rows));
          expect(all.losses[2]).toBeNaN();
          expect(all.gradient.slice(6, 9).map(Math.abs)).toEqual([0, 0, 0]);
          // Draws of a miner go by place.
          if (name === 'marginLoss') return expect(all.gradient.every(Number.isFinite)).toBe(true);
          expectClose(
            rows.map((row) => all.losses[row] as number),
            alone.losses,
            {absolute: 1e-5, relative: 1e-4},
          );
          const others = rows.flatMap((row) => all.gradient.slice(3 * row, 3 * row + 3));
          expectClose(others, alone.gradient, {absolute: 1e-5, relative: 1e-3});
        });
      },
    );

    it('refuses in development a label that is no integer, and labels or embeddings of another shape', () => {
      const labels = () => tf.tensor1d([0, 1, 0, 0, 1, 1], 'int32');
      for (const label of [0.5, Number.NaN, 2 ** 24]) {
        expect(() => build()(tf.tensor1d([0, 1, label, 0, 1, 1]), points())).toThrow(
          /^\w+: yTrue must hold integers between -2\^24 and 2\^24, got .* at position 2/,
        );
      }
      for (const wrong of [tf.tensor1d([0, 1], 'int32'), tf.oneHot(labels(), 2), tf.cast(labels(), 'bool')]) {
        expect(() => build()(wrong, points())).toThrow(/^\w+: yTrue must be int32\[6\]/);
      }
      for (const wrong of [tf.ones([SIZE]), tf.ones([SIZE, 2, 2]), tf.ones([SIZE, 3], 'int32'), tf.ones([0, 3])]) {
        expect(() => build()(labels(), wrong)).toThrow(/^\w+: yPred must be float32\[B, D\]/);
      }
    });
  });
});

describeOnBackends('A measure of embeddings', () => {
  it.each(Object.entries({recallAtK: recallAtK({k: 2}), precisionAt1: precisionAt1(), map: meanAveragePrecisionAtR()}))(
    'is 0 if no query has a hit, and 1 if there is nothing else: %s',
    (_, measure) => {
      const each = tf.tensor1d([0, 1, 2, 3, 4, 5], 'int32');
      expect(measure(each, points()).dataSync()[0]).toBe(0);
      expect(measure(tf.zerosLike(each), points()).dataSync()[0]).toBeCloseTo(1, 6);
      expect(measure(each, tf.mul(points(), Number.NaN)).dataSync()[0]).toBe(0);
    },
  );

  it('is 0 for embeddings of which none is finite: embeddingSpread', () => {
    const labels = tf.tensor1d([0, 1, 2, 3, 4, 5], 'int32');
    expect(embeddingSpread()(labels, tf.mul(points(), Number.NaN)).dataSync()[0]).toBe(0);
  });
});

describeOnBackends('A memory', () => {
  it('refuses a batch that is larger, and keeps what it had', () => {
    const memory = crossBatchMemory({size: 4});
    memory.add(tf.ones([2, 3]), tf.tensor1d([0, 1], 'int32'));
    expect(() => memory.add(points(), tf.tensor1d([0, 1, 0, 0, 1, 1], 'int32'))).toThrow(
      /^crossBatchMemory: size must be at least that of a batch, got 4 for 6 rows/,
    );
    expect(memory.count).toBe(2);
    memory.dispose();
  });
});
