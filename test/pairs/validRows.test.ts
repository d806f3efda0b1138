/** @file Rows that are not valid are padding: no other row is compared with them. */
import * as tf from '@tensorflow/tfjs-core';
import {input, type LayersModel, layers, model as modelOf, type SymbolicTensor} from '@tensorflow/tfjs-layers';
import {all, jointLoss, ohemStep, type PerSampleLoss} from 'ohem-tfjs';
import {
  batchHard,
  contrastiveLoss,
  crossBatchMemory,
  inBatchSoftmax,
  semiHard,
  supervisedContrastive,
  tripletLoss,
} from 'ohem-tfjs/pairs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectSameDirection} from '../support/close';
import {repeatably} from '../support/property';
import {weightValues} from '../support/tinyModel';
import {trainsOn} from '../support/wasmTraining';

/** Rows 2 and 6 are padding; without them, row 3 has no other row of its class. */
const LABELS = [5, 1, 5, 0, 1, 5, 0, 2, 2];
const PADDING = [2, 6];
const REAL = LABELS.flatMap((_, row) => (PADDING.includes(row) ? [] : [row]));
const rows = () => tf.randomNormal([LABELS.length, 4], 0, 1, 'float32', 7);
const labels = (of: readonly number[]) => tf.tensor1d(of.map((row) => LABELS[row] as number));
const everyRow = LABELS.map((_, row) => row);
const valid = () => tf.tensor1d(LABELS.map((_, row) => (PADDING.includes(row) ? 0 : 1)));

const embedder = (towers = 1): LayersModel =>
  repeatably(() => {
    const x = input({shape: [4]});
    const outputs = Array.from({length: towers}, () => layers.dense({units: 3}).apply(x) as SymbolicTensor);
    return modelOf({inputs: x, outputs});
  });

const LOSSES: Record<string, () => PerSampleLoss> = {
  'tripletLoss of semiHard': () => tripletLoss({mine: semiHard(), margin: 1}),
  'tripletLoss of batchHard': () => tripletLoss({mine: batchHard(), margin: 1}),
  contrastiveLoss: () => contrastiveLoss(),
  supervisedContrastive: () => supervisedContrastive(),
};

describeOnBackends('A row that is not valid', (backend) => {
  trainsOn(backend);

  it.each(Object.entries(LOSSES))('is no pair of another, in %s', async (_, build) => {
    const options = {loss: build(), select: all(), optimizer: tf.train.sgd(1)};
    const [model, twin] = [embedder(), embedder()];
    const report = ohemStep(model, options)(rows(), labels(everyRow), {valid: valid()});
    const alone = ohemStep(twin, options)(tf.gather(rows(), REAL), labels(REAL));
    expectSameDirection(weightValues(model).flat(), weightValues(twin).flat(), 1e-5, 1e-6);
    const losses = report.losses.dataSync();
    expectSameDirection(
      REAL.map((row) => losses[row] as number),
      alone.losses,
      1e-5,
    );
    const [figures, ofAlone] = [await report.read(), await alone.read()];
    expect(figures.kept).toBe(ofAlone.kept);
    expect(figures.nonFinite).toBe(0);
    report.dispose();
    alone.dispose();
  });

  it('is no candidate of two towers', () => {
    const options = {loss: jointLoss(inBatchSoftmax({scale: 3})), select: all(), optimizer: tf.train.sgd(1)};
    const [model, twin] = [embedder(2), embedder(2)];
    ohemStep(model, options)(rows(), [labels(everyRow)], {valid: valid()}).dispose();
    ohemStep(twin, options)(tf.gather(rows(), REAL), [labels(REAL)]).dispose();
    expectSameDirection(weightValues(model).flat(), weightValues(twin).flat(), 1e-5, 1e-6);
  });

  it('is remembered as no row', () => {
    const train = (model: LayersModel, step: (take: ReturnType<typeof ohemStep>) => void) => {
      const memory = crossBatchMemory({size: 30});
      const options = {
        loss: tripletLoss({margin: 1, memory}),
        select: memory.fedBy(all()),
        optimizer: tf.train.sgd(0.5),
      };
      const take = ohemStep(model, options);
      for (let t = 0; t < 3; t++) step(take);
      take.dispose();
      return weightValues(model).flat();
    };
    const got = train(embedder(), (step) => step(rows(), labels(everyRow), {valid: valid()}).dispose());
    const alone = train(embedder(), (step) => step(tf.gather(rows(), REAL), labels(REAL)).dispose());
    expectSameDirection(got, alone, 1e-5, 1e-6);
  });

  it('is none that counts nothing: a row of sampleWeight 0 is a pair of others', () => {
    const options = {loss: tripletLoss({margin: 1}), select: all(), optimizer: tf.train.sgd(1)};
    const weighted = ohemStep(embedder(), options)(rows(), labels(everyRow), {sampleWeight: valid()});
    const plain = ohemStep(embedder(), options)(rows(), labels(everyRow));
    const [some, every] = [weighted, plain].map(({losses}) => REAL.map((row) => losses.dataSync()[row] as number));
    expectSameDirection(some as number[], every as number[], 1e-6);
    weighted.dispose();
    plain.dispose();
  });
});
