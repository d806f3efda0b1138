import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {all, fitOhem} from 'ohem-tfjs';
import {batchHard, collapseWatch, embeddingSpread, tripletLoss} from 'ohem-tfjs/pairs';
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

  it('goes by the rows of the validation if there are any', () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const watch = collapseWatch();
    watch.onEpochEnd(0, {embeddingSpread: 1, val_embeddingSpread: 0.8});
    watch.onEpochEnd(1, {embeddingSpread: 1, val_embeddingSpread: 0.2});
    expect(watch.spread).toBe(0.25);
  });
});

describeOnBackends('A training run that collapses', () => {
  it('is warned of', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const model = sequential({
      layers: [layers.dense({units: 3, inputShape: [4], kernelInitializer: 'zeros', biasInitializer: 'ones'})],
    });
    model.compile({optimizer: tf.train.sgd(0), loss: 'meanSquaredError', metrics: [embeddingSpread() as never]});
    const watch = collapseWatch({margin: 0.3});
    await fitOhem(
      model,
      tf.randomNormal([12, 4], 0, 1, 'float32', 1),
      tf.tensor2d([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2], [12, 1]),
      {
        loss: tripletLoss({mine: batchHard(), margin: 0.3}),
        select: all(),
        epochs: 2,
        callbacks: [watch],
        verbose: 0,
      },
    );
    expect(watch.hasCollapsed).toBe(true);
    expect(warn.mock.calls.filter(([text]) => String(text).includes('the loss stays at the margin 0.3'))).toHaveLength(
      1,
    );
  });
});
