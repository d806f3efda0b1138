/**
 * @file A row that a trainer replaced, since it is not finite, is no row's positive or negative.
 */
import * as tf from '@tensorflow/tfjs-core';
import {input, type LayersModel, layers, model as modelOf, type SymbolicTensor} from '@tensorflow/tfjs-layers';
import {all, jointLoss, ohemLoss, ohemStep, type PerSampleLoss, topK, weightedSum} from 'ohem-tfjs';
import {
  batchHard,
  contrastiveLoss,
  crossBatchMemory,
  hardContrastive,
  inBatchSoftmax,
  multiSimilarityLoss,
  ntXent,
  semiHard,
  supervisedContrastive,
  tripletLoss,
  tripletMargin,
} from 'ohem-tfjs/pairs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectSameDirection} from '../support/close';
import {repeatably} from '../support/property';
import {weightValues} from '../support/tinyModel';
import {trainsOn} from '../support/wasmTraining';

/**
 * Class 5 has one row beside the ones that are not finite, which is the first, the one that takes
 * their places.
 */
const LABELS = [5, 1, 5, 0, 1, 2, 0, 2, 1, 3];
const BAD = [2, 6];
const GOOD = LABELS.flatMap((_, row) => (BAD.includes(row) ? [] : [row]));

const LOSSES: Record<string, () => PerSampleLoss> = {
  'tripletLoss of semiHard': () => tripletLoss({mine: semiHard(), margin: 1}),
  'tripletLoss of batchHard': () => tripletLoss({mine: batchHard(), margin: 1}),
  'tripletLoss of all triplets': () => tripletLoss({mine: tripletMargin({margin: 9}), margin: 1, swap: true}),
  contrastiveLoss: () => contrastiveLoss(),
  multiSimilarityLoss: () => multiSimilarityLoss(),
  ntXent: () => ntXent(),
  supervisedContrastive: () => supervisedContrastive(),
  'a sum of two': () => weightedSum([{loss: tripletLoss({margin: 1})}, {loss: ntXent(), weight: 0.1}]),
};

const embedder = (): LayersModel =>
  repeatably(() => {
    const x = input({shape: [4]});
    const hidden = layers.dense({units: 6, activation: 'tanh'}).apply(x) as SymbolicTensor;
    return modelOf({inputs: x, outputs: layers.dense({units: 3}).apply(hidden) as SymbolicTensor});
  });

const rows = () => tf.randomNormal([LABELS.length, 4], 0, 1, 'float32', 7);
const labels = (of: readonly number[]) => tf.tensor1d(of.map((row) => LABELS[row] as number));
const everyRow = LABELS.map((_, row) => row);

/** The batch with rows that are not finite, by their inputs or by their labels. */
function spoilt(by: 'inputs' | 'labels'): [xs: tf.Tensor, ys: tf.Tensor] {
  const marks = tf.tensor1d(LABELS.map((_, row) => (BAD.includes(row) ? Number.NaN : 0)));
  if (by === 'labels') return [rows(), tf.add(labels(everyRow), marks)];
  return [tf.add(rows(), tf.reshape(marks, [-1, 1])), labels(everyRow)];
}

/** What a step of rate 1 takes from the weights. */
function takenBy(model: LayersModel, train: () => void): number[] {
  const before = weightValues(model).flat();
  train();
  return weightValues(model)
    .flat()
    .map((value, i) => (before[i] as number) - value);
}

describeOnBackends('A row that is not finite', (backend) => {
  trainsOn(backend);

  describe.each(Object.entries(LOSSES))('with %s', (_, build) => {
    it.each(['inputs', 'labels'] as const)('is no pair of another: by its %s', (by) => {
      for (const backward of ['auto', 'masked'] as const) {
        const options = {loss: build(), select: all(), optimizer: tf.train.sgd(1), backward};
        const [model, twin] = [embedder(), embedder()];
        const got = takenBy(model, () => {
          const report = ohemStep(model, options)(...spoilt(by));
          const losses = Array.from(report.losses.dataSync());
          expect(losses.flatMap((loss, row) => (Number.isNaN(loss) ? row : []))).toEqual(BAD);
          expect(report.nonFinite.dataSync()[0]).toBe(BAD.length);
          report.dispose();
        });
        const alone = takenBy(twin, () => {
          ohemStep(twin, options)(tf.gather(rows(), GOOD), labels(GOOD)).dispose();
        });
        expect(alone.some((value) => value !== 0)).toBe(true);
        expectSameDirection(got, alone, 1e-5, 1e-6);
      }
    });
  });

  it('leaves an anchor that has no other row of its class uncounted', async () => {
    const loss = tripletLoss({margin: 1});
    const report = ohemStep(embedder(), {loss, select: all(), optimizer: tf.train.sgd(1)})(...spoilt('inputs'));
    // Row 0 has row 2 only, row 9 none, and 3 has 6 only.
    expect((await report.read()).kept).toBe(LABELS.length - BAD.length - 3);
  });

  it('is no pair of another under ohemLoss, by its prediction', () => {
    const predictions = tf.randomNormal([LABELS.length, 3], 0, 1, 'float32', 9);
    const marks = tf.tensor2d(LABELS.map((__, row) => [BAD.includes(row) ? Number.NaN : 0]));
    for (const loss of [tripletLoss({margin: 1}), supervisedContrastive()]) {
      const gradientOf = (yTrue: tf.Tensor, yPred: tf.Tensor) =>
        tf.grad((x) => tf.mean(ohemLoss(loss, topK({k: 4}))(yTrue, x)))(yPred);
      const got = tf.gather(gradientOf(labels(everyRow), tf.add(predictions, marks)), GOOD);
      const alone = gradientOf(labels(GOOD), tf.gather(predictions, GOOD));
      expect(alone.dataSync().some((value) => value !== 0)).toBe(true);
      expectSameDirection(got, alone, 1e-5, 1e-6);
    }
  });

  it('is no candidate of two towers', () => {
    const towers = () =>
      repeatably(() => {
        const x = input({shape: [4]});
        const of = () => layers.dense({units: 3}).apply(x) as SymbolicTensor;
        return modelOf({inputs: x, outputs: [of(), of()]});
      });
    const contrast = {queries: true, documents: true};
    for (const loss of [inBatchSoftmax({scale: 3}), inBatchSoftmax({scale: 3, contrast}), hardContrastive()]) {
      const options = {loss: jointLoss(loss), select: all(), optimizer: tf.train.sgd(1)};
      const [model, twin] = [towers(), towers()];
      const [xs, ys] = spoilt('inputs');
      const got = takenBy(model, () => ohemStep(model, options)(xs, [ys]).dispose());
      const alone = takenBy(twin, () => ohemStep(twin, options)(tf.gather(rows(), GOOD), [labels(GOOD)]).dispose());
      expectSameDirection(got, alone, 1e-5, 1e-6);
    }
  });

  it('is remembered as no row', () => {
    const [one, other] = [crossBatchMemory({size: 30}), crossBatchMemory({size: 30})];
    const stepOf = (model: LayersModel, memory: typeof one) =>
      ohemStep(model, {
        loss: tripletLoss({margin: 1, memory}),
        select: memory.fedBy(all()),
        optimizer: tf.train.sgd(0.5),
      });
    const [model, twin] = [embedder(), embedder()];
    const [step, alone] = [stepOf(model, one), stepOf(twin, other)];
    for (let t = 0; t < 3; t++) {
      step(...spoilt('inputs')).dispose();
      alone(tf.gather(rows(), GOOD), labels(GOOD)).dispose();
    }
    expectSameDirection(weightValues(model).flat(), weightValues(twin).flat(), 1e-5, 1e-6);
    one.dispose();
    other.dispose();
  });
});
