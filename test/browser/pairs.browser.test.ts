/**
 * @file Miners and losses of pairs on four backends: the same choices, losses and gradients, and no
 *   read in a step.
 */
import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {all, jointLoss, ohemStep, type PerSampleLoss} from 'ohem-tfjs';
import {
  angular,
  batchEasyHard,
  batchHard,
  contrastiveLoss,
  crossBatchMemory,
  hardContrastive,
  hardestShare,
  inBatchSoftmax,
  marginLoss,
  meanAveragePrecisionAtR,
  multiSimilarity,
  multiSimilarityLoss,
  ntXent,
  pairMargin,
  semiHard,
  supervisedContrastive,
  tripletLoss,
  tripletMargin,
} from 'ohem-tfjs/pairs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterEach, expect, it} from 'vitest';
import {expectSameDirection} from '../support/close';
import {inProduction} from '../support/tensors';
import {describeOnBackends} from './support/backends';
import {type DeviceReads, deviceReads} from './support/deviceReads';

enableWasmTraining();

const ROWS = 13;
const LABELS = Array.from({length: ROWS}, (_, row) => (row * 5) % 4);
const VALUES = Array.from({length: ROWS * 3}, (_, i) => Math.sin(i * i + 1));
const WEIGHTS = Array.from({length: ROWS}, (_, row) => 1 + (row % 3));

const LOSSES: Record<string, () => PerSampleLoss> = {
  semiHard: () => tripletLoss({margin: 0.5}),
  batchHard: () => tripletLoss({mine: batchHard(), margin: 0.5, swap: true}),
  batchEasyHard: () => tripletLoss({mine: batchEasyHard(), margin: 0.5}),
  tripletMargin: () => tripletLoss({mine: tripletMargin({margin: 1}), margin: 1, swap: true}),
  angular: () => tripletLoss({mine: angular(), margin: 1, soft: true}),
  pairMargin: () => contrastiveLoss({mine: pairMargin()}),
  hardestShare: () => contrastiveLoss({mine: hardestShare(), negativeMargin: 1.5}),
  multiSimilarity: () => multiSimilarityLoss({mine: multiSimilarity()}),
  marginLoss: () => marginLoss({mine: semiHard(), beta: 0.8}),
  ntXent: () => ntXent({temperature: 0.3}),
  supervisedContrastive: () => supervisedContrastive({distance: 'euclidean'}),
};

/** Losses and gradient of a weighted sum, read without blocking. */
async function evaluated(loss: PerSampleLoss): Promise<{losses: number[]; gradient: number[]}> {
  const [losses, gradient] = tf.tidy(() => {
    const labels = tf.tensor1d(LABELS, 'int32');
    const weights = tf.tensor1d(WEIGHTS);
    const at = tf.tensor2d(VALUES, [ROWS, 3]);
    return [loss(labels, at), tf.grad((x) => tf.sum(tf.mul(loss(labels, x), weights)))(at)];
  }) as [tf.Tensor, tf.Tensor];
  const values = await Promise.all([losses.data(), gradient.data()]);
  tf.dispose([losses, gradient]);
  return {losses: Array.from(values[0]), gradient: Array.from(values[1])};
}

describeOnBackends('A loss of pairs', (backend) => {
  let reads: DeviceReads | undefined;
  afterEach(() => reads?.stop());

  it.each(Object.entries(LOSSES))('has the numbers of the cpu: %s', async (_, build) => {
    const here = await evaluated(build());
    await tf.setBackend('cpu');
    const there = await evaluated(build());
    await tf.setBackend(backend);
    expectSameDirection(here.losses, there.losses, 2e-3, 1e-5);
    expectSameDirection(here.gradient, there.gradient, 1e-2, 1e-4);
    expect(there.losses.some((loss) => loss > 0)).toBe(true);
  });

  it('reads nothing from a GPU in a step, with a memory too', async () => {
    const memory = crossBatchMemory({size: 20});
    for (const loss of [...Object.values(LOSSES).map((build) => build()), tripletLoss({memory})]) {
      const model = sequential({layers: [layers.dense({units: 3, inputShape: [3]})]});
      const step = ohemStep(model, {loss, select: memory.fedBy(all()), optimizer: tf.train.sgd(0.1)});
      const [xs, ys] = [tf.tensor2d(VALUES, [ROWS, 3]), tf.tensor1d(LABELS, 'int32')];
      reads = deviceReads();
      inProduction(() => {
        for (let i = 0; i < 2; i++) step(xs, ys).dispose();
      });
      if (backend.startsWith('webg')) expect(reads.count()).toBe(0);
      reads.stop();
      expect(Number.isFinite((await step(xs, ys).read()).loss)).toBe(true);
    }
    memory.dispose();
  });

  it('compares no row with one that is not finite, and says how far the others are apart', async () => {
    const weights = tf.tensor2d(VALUES.slice(0, 9), [3, 3]);
    const taken = async (values: number[], labels: number[]) => {
      const model = sequential({layers: [layers.dense({units: 3, inputShape: [3], useBias: false})]});
      model.setWeights([weights]);
      const loss = tripletLoss({mine: batchHard(), margin: 1});
      const step = ohemStep(model, {loss, select: all(), optimizer: tf.train.sgd(1)});
      const [xs, ys] = [tf.tensor2d(values, [labels.length, 3]), tf.tensor1d(labels, 'int32')];
      const report = inProduction(() => step(xs, ys));
      const [spread] = await (report.spread as tf.Scalar).data();
      report.dispose();
      return {spread: spread as number, weights: Array.from(await (model.getWeights()[0] as tf.Tensor).data())};
    };
    // Row 0 takes the place of row 4, which has its label.
    const bad = VALUES.map((value, i) => (Math.floor(i / 3) === 4 ? Number.NaN : value));
    const here = await taken(bad, LABELS);
    const rows = LABELS.flatMap((_, row) => (row === 4 ? [] : [row]));
    const alone = await taken(
      rows.flatMap((row) => VALUES.slice(3 * row, 3 * row + 3)),
      rows.map((row) => LABELS[row] as number),
    );
    expectSameDirection(here.weights, alone.weights, 2e-3, 1e-4);
    expect(here.spread).toBeCloseTo(alone.spread, 3);
    expect(here.spread).toBeGreaterThan(0);
  });

  it('of two towers has the numbers of the cpu', async () => {
    const towers = async () => {
      const results = [inBatchSoftmax({scale: 5, hardNegatives: 3}), hardContrastive()].map((loss) => {
        expect(jointLoss(loss).isJoint).toBe(true);
        return tf.tidy(() => {
          const one = tf.tensor2d(VALUES, [ROWS, 3]);
          return loss([], [one, tf.reverse(one, 1)]);
        });
      });
      const read = await Promise.all(results.map((losses) => losses.data()));
      tf.dispose(results);
      return read.flatMap((values) => Array.from(values));
    };
    const here = await towers();
    await tf.setBackend('cpu');
    const there = await towers();
    await tf.setBackend(backend);
    expectSameDirection(here, there, 2e-3, 1e-5);
  });

  it('of two towers reads nothing from a GPU to find hard negatives', () => {
    reads = deviceReads();
    tf.tidy(() => {
      const one = tf.tensor2d(VALUES, [ROWS, 3]);
      inBatchSoftmax({hardNegatives: 3})([], [one, one]);
    });
    if (backend.startsWith('webg')) expect(reads.count()).toBe(0);
  });

  it('is measured alike', async () => {
    const measured = async () => {
      const value = tf.tidy(() =>
        meanAveragePrecisionAtR()(tf.tensor1d(LABELS, 'int32'), tf.tensor2d(VALUES, [ROWS, 3])),
      );
      const [share] = await value.data();
      value.dispose();
      return share as number;
    };
    const here = await measured();
    await tf.setBackend('cpu');
    const there = await measured();
    await tf.setBackend(backend);
    expect(here).toBeCloseTo(there, 5);
  });
});
