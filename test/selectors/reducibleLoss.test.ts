import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {ohemStep, reducibleLoss, scored, topK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RUNS, randomFrom} from '../support/property';
import {largestRows, selected} from '../support/selections';
import {valuesOf} from '../support/tensors';
import {tinyModel, tinyXs, tinyYs} from '../support/tinyModel';

describeOnBackends('reducibleLoss', () => {
  it('is what the loss is over the irreducible one', () => {
    const reference = tf.tensor1d([0.25, 2, 0]);
    expect(valuesOf(() => reducibleLoss()(tf.tensor1d([1, 1, 3]), {reference}))).toEqual([0.75, -1, 3]);
  });

  it('keeps what can still be learned, not what cannot be predicted', () => {
    const reference = tf.tensor1d([0.1, 4.9, 0.2, 0.1]);
    // Learned already, a wrong label, and two that are hard and could be learned.
    expect(selected(scored(topK({k: 2}), reducibleLoss()), [0.1, 5, 2, 1], {reference}).indices).toEqual([2, 3]);
  });

  it('leaves out a row whose reference is not finite', () => {
    const reference = tf.tensor1d([0, Number.NaN, Number.NEGATIVE_INFINITY]);
    const {indices, weights} = selected(scored(topK({k: 2}), reducibleLoss()), [1, 2, 3], {reference});
    expect([indices[0], weights]).toEqual([0, [1, 0]]);
  });

  it('keeps the largest differences of any batch', () => {
    const property = fc.property(fc.integer(), fc.integer({min: 1, max: 24}), (seed, batchSize) => {
      const random = randomFrom(seed);
      const eighths = () => Array.from({length: batchSize}, () => Math.floor(random() * 40) / 8);
      const [losses, reference] = [eighths(), eighths()];
      const differences = losses.map((loss, row) => loss - (reference[row] as number));
      const selection = selected(scored(topK({ratio: 0.5}), reducibleLoss()), losses, {
        reference: tf.tensor1d(reference),
      });
      expect(selection.indices).toEqual(largestRows(differences, {ratio: 0.5}));
    });
    fc.assert(property, RUNS);
  });

  it('takes its reference from the options of a step', () => {
    const select = scored(topK({k: 1}), reducibleLoss());
    const step = ohemStep(tinyModel(), {loss: 'categoricalCrossentropy', select, optimizer: tf.train.sgd(0)});
    const report = step(tinyXs(), tinyYs(), {reference: tf.tensor1d([9, 9, 9, 9, 9, 0])});
    expect([...report.selection.indices.dataSync()]).toEqual([5]);
    report.dispose();
  });

  it('refuses to go without a reference, or with one of another length', () => {
    const select = scored(topK({k: 1}), reducibleLoss());
    expect(() => select(tf.tensor1d([1, 2]))).toThrow(
      new TypeError(
        'reducibleLoss: reference must be in the context, got undefined. Pass it with each batch: step(xs, ys, {reference}), or {context: {reference}} in fitOhem; the irreducible loss of each row.',
      ),
    );
    expect(() => select(tf.tensor1d([1, 2]), {reference: tf.ones([3])})).toThrow(
      new TypeError('reducibleLoss: reference must have shape [2], one value for each row, got [3].'),
    );
  });
});
