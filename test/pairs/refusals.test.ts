/** @file Options, labels and results that the pairs module refuses, each by a named error. */
import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {all, ohemStep} from 'ohem-tfjs';
import {
  batchHard,
  distanceWeighted,
  hardContrastive,
  inBatchSoftmax,
  meanAveragePrecisionAtR,
  ntXent,
  type PkBatchesOptions,
  pkBatches,
  recallAtK,
  tripletLoss,
} from 'ohem-tfjs/pairs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {inProduction} from '../support/tensors';

const labels = () => tf.tensor1d([0, 0, 1, 1], 'int32');
const points = () => tf.randomNormal([4, 2], 0, 1, 'float32', 3) as tf.Tensor2D;
const wide = () => ({embeddings: tf.zeros([2, 3]), labels: tf.tensor1d([0, 1], 'int32')});
const pk = (options: Partial<PkBatchesOptions>) =>
  pkBatches({labels: [0, 0, 1, 1], classes: 2, perClass: 2, ...options, x: options.x ?? points()});
const slots = (positive: number, negative: number) => () => ({
  positive: tf.fill([4, 1], positive, 'int32') as tf.Tensor2D,
  negative: tf.fill([4, 1], negative, 'int32') as tf.Tensor2D,
  weights: tf.ones([4, 1]) as tf.Tensor2D,
});
const embedder = () => sequential({layers: [layers.dense({units: 3, inputShape: [2]})]});
const stepOf = () => ohemStep(embedder(), {loss: tripletLoss(), select: all(), optimizer: tf.train.sgd(0.1)});

const REFUSED: [name: string, call: () => unknown, message: RegExp][] = [
  ['a number for options', () => tripletLoss(5 as never), /^tripletLoss: options must be a record, got 5\.$/],
  ['a text for options', () => ntXent('a' as never), /^ntXent: options must be a record, got 'a'\.$/],
  [
    'a miner for options',
    () => tripletLoss(batchHard() as never),
    /^tripletLoss: options must be a record, got a function/,
  ],
  ['a number for options of a miner', () => batchHard(5 as never), /^batchHard: options must be a record, got 5/],
  ['a memory without rows', () => tripletLoss({memory: {} as never}), /^tripletLoss: memory must have a function rows/],
  ['soft: 1', () => tripletLoss({soft: 1 as never}), /^tripletLoss: soft must be true or false, got 1/],
  ['a text for swap', () => tripletLoss({swap: 'x' as never}), /^tripletLoss: swap must be true or false, got 'x'/],
  [
    'contrast: true',
    () => inBatchSoftmax({contrast: true as never}),
    /^inBatchSoftmax: contrast must be a record, got true/,
  ],
  [
    'an unknown side',
    () => inBatchSoftmax({contrast: {foo: true} as never}),
    /^inBatchSoftmax: contrast must have the names/,
  ],
  [
    'a number for a side',
    () => inBatchSoftmax({contrast: {queries: 1 as never}}),
    /^inBatchSoftmax: contrast\.queries must be true/,
  ],
  [
    'a negative margin of a guide',
    () => inBatchSoftmax({guide: {embeddings: () => [], margin: -1}}),
    /^inBatchSoftmax: guide\.margin must be a finite number >= 0, got -1/,
  ],
  [
    'a text for a seed',
    () => distanceWeighted({seed: 'a' as never}),
    /^distanceWeighted: seed must be a finite number, got 'a'/,
  ],
  [
    'a cutoff that leaves nothing',
    () => distanceWeighted({cutoff: 2.5}),
    /^distanceWeighted: cutoff must be below 1\.4/,
  ],
  ['a cutoff beyond 2', () => distanceWeighted({cutoff: 2, nonzero: 9}), /^distanceWeighted: cutoff must be below 2/],
  [
    'a wide reference',
    () => recallAtK({reference: wide()})(labels(), points()),
    /^recallAtK: reference\.embeddings must have the width/,
  ],
  [
    'a wide reference of MAP@R',
    () => meanAveragePrecisionAtR({reference: wide()})(labels(), points()),
    /^meanAveragePrecisionAtR: reference\.embeddings must have the width of the embeddings, 2/,
  ],
  [
    'a wide reference of a miner',
    () => batchHard()(points(), labels(), {reference: wide()}),
    /^batchHard: reference\.embeddings must have the width/,
  ],
  [
    'a place behind the last',
    () => tripletLoss({mine: slots(4, 0)})(labels(), points()),
    /^tripletLoss: mine must return places from 0 to 3 in positive, got 4/,
  ],
  [
    'a place before the first',
    () => tripletLoss({mine: slots(1, -1)})(labels(), points()),
    /^tripletLoss: mine must return places from 0 to 3 in negative, got -1/,
  ],
  ['one-hot labels', () => tripletLoss()(tf.oneHot(labels(), 2), points()), /^tripletLoss: yTrue must be int32\[4\]/],
  [
    'one-hot labels in a step',
    () => stepOf()(points(), tf.oneHot(labels(), 2)),
    /^tripletLoss: yTrue must be int32\[4\]/,
  ],
  [
    'one view',
    () => hardContrastive()([], [points()]),
    /^hardContrastive: predictions must be two outputs.*Return one for each view of the rows\.$/,
  ],
  ['lists for x', () => pk({x: [[1, 2]] as never}), /^pkBatches: x must be a tensor/],
  ['a number for x', () => pk({x: 5 as never}), /^pkBatches: x must be a tensor/],
  [
    'a label beyond int32',
    () => pk({labels: [0, 0, 2 ** 31, 2 ** 31]}),
    /^pkBatches: labels must hold integers from -2\^31 to 2\^31 - 1, got 2147483648 at position 2/,
  ],
  ['a number for targets', () => [...pk({targets: () => 5 as never})(0)], /^pkBatches: targets must return a tensor/],
  [
    'disposed inputs',
    () => {
      const x = points();
      const batches = pk({x});
      x.dispose();
      return [...batches(0)];
    },
    /^pkBatches: x must not be disposed/,
  ],
];

describeOnBackends('The pairs module', () => {
  it.each(REFUSED)('refuses %s', (_, call, message) => {
    expect(call).toThrow(message);
  });

  it('disposes the inputs of a batch whose targets throw', () => {
    const x = points();
    const before = tf.memory().numTensors;
    const failing = () => {
      throw new Error('no targets');
    };
    expect(() => [...pk({x, targets: failing})(0)]).toThrow('no targets');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('weighs classes beyond the width of the embeddings, by their labels', () => {
    const y = tf.tensor1d([7, 7, 3, 3], 'int32');
    const [plain, weighted] = [stepOf()(points(), y), stepOf()(points(), y, {classWeight: {3: 0, 7: 1}})];
    expect(Array.from(weighted.losses.dataSync()).slice(2)).toEqual([0, 0]);
    expect(plain.losses.size).toBe(4);
    for (const report of [plain, weighted]) report.dispose();
  });
});

describeOnBackends('inBatchSoftmax', () => {
  const close = () =>
    tf.tensor2d([
      [1, 0],
      [1, 0.01],
      [0, 1],
    ]);

  it('leaves out queries, and documents, with the id of the query’s own', () => {
    const ids = () => tf.tensor1d([7, 7, 7], 'int32');
    for (const contrast of [{queries: true}, {documents: true}, {queries: true, documents: true}]) {
      const loss = inBatchSoftmax({scale: 20, contrast, candidateIds: ids});
      expect(Array.from(loss([], [close(), close()]).dataSync(), Math.round)).toEqual([0, 0, 0]);
    }
  });

  it('tells ids apart that float32 does not', () => {
    const ids = (step: number) => () => tf.tensor1d([2 ** 30, 2 ** 30 + step, 2 ** 30 + 2 * step], 'int32');
    const of = (step: number) =>
      Array.from(inBatchSoftmax({scale: 5, candidateIds: ids(step)})([], [close(), close()]).dataSync());
    expect(of(1)).toEqual(of(1000));
    expect(of(0)[0]).toBeCloseTo(0, 5);
  });

  it('refuses ids and probabilities that are none, and in production leaves the others as they are', () => {
    const ids = [3, Number.NaN, 3];
    const shares = [0.5, Number.NaN, 0.25];
    const byIds = (list: number[]) => inBatchSoftmax({scale: 2, candidateIds: () => tf.tensor1d(list)});
    const byShares = (list: number[]) => inBatchSoftmax({scale: 2, samplingProbability: () => tf.tensor1d(list)});
    const of = (loss: ReturnType<typeof byIds>) => Array.from(loss([], [close(), close()]).dataSync());
    expect(() => of(byIds(ids))).toThrow(/^inBatchSoftmax: candidateIds must return integers between .* got NaN at/);
    expect(() => of(byIds([0.5, 1, 2]))).toThrow(/^inBatchSoftmax: candidateIds must return integers/);
    expect(() => of(byShares(shares))).toThrow(
      /^inBatchSoftmax: samplingProbability must return numbers >= 0, got NaN/,
    );
    const whole = inBatchSoftmax({samplingProbability: () => tf.ones([3], 'int32')});
    expect(() => of(whole)).toThrow(/^inBatchSoftmax: samplingProbability must return float32/);
    inProduction(() => {
      expect(of(byIds(ids))).toEqual(of(byIds([3, 4, 3])));
      expect(of(byShares(shares))).toEqual(of(byShares([0.5, 1, 0.25])));
    });
  });
});
