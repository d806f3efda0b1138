import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {all, fitOhem, meanSquaredError, ohemStep, type PerSampleLoss, weightedSum} from 'ohem-tfjs';
import {
  batchHard,
  collapseWatch,
  contrastiveLoss,
  embeddingSpread,
  supervisedContrastive,
  tripletLoss,
} from 'ohem-tfjs/pairs';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {plainDistances} from '../support/pairOracles';

afterEach(() => vi.restoreAllMocks());

describeOnBackends('embeddingSpread', () => {
  it.each(['euclidean', 'squaredEuclidean', 'cosine', 'dot'] as const)('is the mean of all pairs: %s', (distance) => {
    const rows = [
      [1, 2],
      [3, 1],
      [-1, 0.5],
      [0, 1],
    ];
    const all = plainDistances(rows, {distance});
    const sign = distance === 'cosine' || distance === 'dot' ? -1 : 1;
    const mean =
      all.reduce((sum, row, a) => sum + row.reduce((part, d, b) => part + (a === b ? 0 : sign * d), 0), 0) / 12;
    const spread = embeddingSpread({distance})(tf.tensor1d([0, 0, 1, 2], 'int32'), tf.tensor2d(rows));
    expectClose(spread, [mean], {absolute: 1e-5, relative: 1e-4});
  });

  it('is 0 for a single row', () => {
    expect(embeddingSpread()(tf.tensor1d([0], 'int32'), tf.tensor2d([[1, 2]])).dataSync()[0]).toBe(0);
  });
});

describe('collapseWatch', () => {
  it('warns once, of the first epoch in which embeddings are a point', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const watch = collapseWatch({margin: 0.5});
    watch.onEpochEnd(0, {loss: 0.6, embeddingSpread: 1.2});
    watch.onEpochEnd(1, {loss: 0.5, embeddingSpread: 0.6});
    expect([watch.hasCollapsed, watch.spread]).toEqual([false, 0.5]);
    watch.onEpochEnd(2, {loss: 0.5, embeddingSpread: 0.01});
    watch.onEpochEnd(3, {loss: 0.5, embeddingSpread: 0.01});
    expect(watch.hasCollapsed).toBe(true);
    expect(warn.mock.calls).toEqual([
      [
        'collapseWatch: the embeddings have collapsed: in epoch 2 their mean distance is 0.010, and the loss stays at the margin 0.5. Mine by semiHard(), lower the learning rate, or begin with weights that were trained.',
      ],
    ]);
  });

  it('takes no notice of a spread that is NaN', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const watch = collapseWatch({margin: 0.2});
    for (const [epoch, spread] of [1, Number.NaN, 1.5, 0.75].entries()) {
      watch.onEpochEnd(epoch, {loss: 0.3, embeddingSpread: spread});
    }
    expect([watch.hasCollapsed, watch.spread]).toEqual([false, 0.5]);
    expect(warn).not.toHaveBeenCalled();
  });

  it('takes notes of a loop of steps', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const watch = collapseWatch({share: 0.3});
    watch.note('step 0', 1);
    watch.note('step 10', 0.31, 0.2);
    expect(watch.hasCollapsed).toBe(false);
    watch.note('step 20', 0.29);
    expect(warn.mock.calls.map(([text]) => String(text).slice(0, 75))).toEqual(
      ['collapseWatch: the embeddings have collapsed: in step 20 their mean distance'].map((text) => text.slice(0, 75)),
    );
  });

  it('does not take embeddings that shrink for collapsed, if their classes are apart', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const watch = collapseWatch({margin: 0.2});
    watch.note('step 0', 60, 3);
    watch.note('step 100', 5, 0.01);
    watch.note('step 110', 5, 0.099);
    expect([watch.hasCollapsed, warn.mock.calls.length]).toEqual([false, 0]);
    watch.note('step 120', 5, 0.15);
    expect([watch.hasCollapsed, warn.mock.calls.length]).toEqual([true, 1]);
  });

  it('goes by the rows of the validation if there are any', () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const watch = collapseWatch();
    watch.onEpochEnd(0, {embeddingSpread: 1, val_embeddingSpread: 0.8});
    watch.onEpochEnd(1, {embeddingSpread: 1, val_embeddingSpread: 0.2});
    expect(watch.spread).toBe(0.25);
  });
});

/** Embeds all rows at one point, or not. */
const embedder = (kernelInitializer: 'zeros' | 'glorotNormal', kernelRegularizer?: 'l1l2') => {
  const regularized = kernelRegularizer && {kernelRegularizer};
  const model = sequential({
    layers: [layers.dense({units: 3, inputShape: [4], kernelInitializer, biasInitializer: 'ones', ...regularized})],
  });
  model.compile({optimizer: tf.train.sgd(0), loss: 'meanSquaredError'});
  return model;
};
const LABELS = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2];
const rows = () => tf.randomNormal([12, 4], 0, 1, 'float32', 1);

describeOnBackends('A training run that collapses', () => {
  it.each([undefined, 'l1l2'] as const)(
    'is warned of once, by fitOhem itself, with the penalty %s',
    async (penalty) => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      const args = {
        loss: tripletLoss({mine: batchHard(), margin: 0.3}),
        ...{select: all(), epochs: 20, batchSize: 12, verbose: 0 as const},
      };
      const {history} = await fitOhem(embedder('zeros', penalty), rows(), tf.tensor2d(LABELS, [12, 1]), args);
      expect(warn.mock.calls).toEqual([
        [
          'fitOhem: the embeddings have collapsed: in epoch 0, batch 0 their mean distance is 0.0, and the loss stays at the margin 0.3. Mine by semiHard(), lower the learning rate, or begin with weights that were trained.',
        ],
      ]);
      // The spread is read with the figures, and is none of them.
      expectClose(history.loss as number[], new Array(20).fill(0.3), {absolute: 1e-5, relative: 0});
    },
  );

  it('is warned of when they were apart before, in batches that are not finite all through', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const model = embedder('glorotNormal');
    const marks = tf.tensor2d(LABELS.map((_, row) => [row === 3 ? Number.NaN : 0]));
    const shrink = (epoch: number) => {
      if (epoch !== 20) return;
      const [kernel, bias] = model.getWeights() as [tf.Tensor, tf.Tensor];
      model.setWeights([tf.mul(kernel, 1e-4), bias]);
    };
    await fitOhem(model, tf.add(rows(), marks), tf.tensor2d(LABELS, [12, 1]), {
      loss: tripletLoss({margin: 0.3}),
      ...{select: all(), epochs: 40, batchSize: 12, verbose: 0, shuffle: false},
      callbacks: {onEpochEnd: shrink},
    });
    const said = warn.mock.calls.map(([text]) => String(text)).filter((text) => text.includes('collapsed'));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^fitOhem: the embeddings have collapsed: in epoch 32, batch 0 their mean distance is /);
  });

  it('is not warned of if embeddings that are not normalised shrink without losing their classes', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const model = embedder('zeros');
    // Each class is embedded at a point of its own, 100 apart, and then 5.
    const scaled = (by: number) => model.setWeights([tf.mul(tf.eye(4, 3), by), tf.zeros([3])]);
    scaled(100);
    const inputs = tf.cast(tf.oneHot(tf.tensor1d(LABELS, 'int32'), 4), 'float32');
    await fitOhem(model, inputs, tf.tensor2d(LABELS, [12, 1]), {
      loss: tripletLoss({margin: 0.3, normalize: false}),
      ...{select: all(), epochs: 40, batchSize: 12, verbose: 0},
      callbacks: {onEpochEnd: () => scaled(5)},
    });
    expect(warn).not.toHaveBeenCalled();
  });

  it('is not warned of if embeddings stay apart, or the loss is none of pairs', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const y = tf.tensor2d(LABELS, [12, 1]);
    const args = {select: all(), epochs: 20, batchSize: 12, verbose: 0 as const};
    const {history} = await fitOhem(embedder('glorotNormal'), rows(), y, {...args, loss: tripletLoss({margin: 0.3})});
    // The weights stay, and so does the loss: a spread that is read with it is no part of it.
    const [first, ...others] = history.loss as number[];
    expectClose(others, new Array(19).fill(first), {absolute: 1e-4, relative: 0});
    await fitOhem(embedder('zeros'), rows(), tf.zeros([12, 3]), {...args, loss: 'meanSquaredError'});
    expect(warn).not.toHaveBeenCalled();
  });
});

describeOnBackends('The report of a step', () => {
  const stepOf = (loss: PerSampleLoss) =>
    ohemStep(embedder('glorotNormal'), {loss, select: all(), optimizer: tf.train.sgd(0)});
  const labels = () => tf.tensor1d(LABELS, 'int32');

  it('has the spread of the embeddings, in the lengths of the loss', () => {
    for (const [loss, normalize] of [
      [tripletLoss({margin: 0.3}), true],
      [contrastiveLoss({normalize: false}), false],
      [supervisedContrastive(), true],
      [weightedSum([{loss: tripletLoss({normalize: false})}, {loss: tripletLoss()}]), false],
    ] as const) {
      const own = embedder('glorotNormal');
      const mine = ohemStep(own, {loss, select: all(), optimizer: tf.train.sgd(0)})(rows(), labels());
      const want = embeddingSpread({normalize})(labels(), own.predict(rows()) as tf.Tensor);
      expectClose(mine.spread as tf.Scalar, want, {absolute: 1e-6, relative: 1e-5});
      expect(mine.spread).toBe(mine.spread);
      mine.dispose();
    }
  });

  it('leaves out rows that are not finite', () => {
    const own = embedder('glorotNormal');
    const bad = tf.tensor2d(LABELS.map((_, row) => [row === 3 ? Number.NaN : 0]));
    const step = ohemStep(own, {loss: tripletLoss(), select: all(), optimizer: tf.train.sgd(0)});
    const report = step(tf.add(rows(), bad), labels());
    const good = LABELS.flatMap((_, row) => (row === 3 ? [] : [row]));
    const want = embeddingSpread()(tf.gather(labels(), good), own.predict(tf.gather(rows(), good)) as tf.Tensor);
    expectClose(report.spread as tf.Scalar, want, {absolute: 1e-6, relative: 1e-5});
    report.dispose();
  });

  it('computes it only on access, and disposes it; other losses have none', () => {
    const step = stepOf(tripletLoss());
    const [xs, ys] = [rows(), labels()];
    step(xs, ys).dispose();
    const before = tf.memory().numTensors;
    const report = step(xs, ys);
    const unread = tf.memory().numTensors;
    expect((report.spread as tf.Scalar).shape).toEqual([]);
    expect(tf.memory().numTensors).toBe(unread + 1);
    report.dispose();
    expect(tf.memory().numTensors).toBe(before);
    const plain = stepOf(meanSquaredError())(xs, tf.zeros([12, 3]));
    expect(plain.spread).toBeUndefined();
    plain.dispose();
  });
});
