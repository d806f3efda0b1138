/** @file The measures of retrieval against PyTorch Metric Learning: 24 cases. */
import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {fitOhem} from 'ohem-tfjs';
import {meanAveragePrecisionAtR, precisionAt1, type RetrievalMetric, recallAtK, tripletLoss} from 'ohem-tfjs/pairs';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/pml_accuracy.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {DISTANCES, embeddingsOf, labelsOf, type OracleBatch, referenceOf} from '../support/pairOracles';

interface Case {
  name: string;
  batch: number;
  distance: string;
  params: {reference?: number};
  tie?: number;
  hits_at_k?: Record<string, number>;
  k_all: Record<string, number | string>;
}

const cases = oracle.cases as unknown as Case[];
const batchOf = ({batch}: Case) => oracle.batches[batch] as OracleBatch;
const CLOSE = {absolute: 1e-6, relative: 1e-5};
const orZero = (value: number | string | undefined) => (value === 'NaN' || value === undefined ? 0 : Number(value));

describe('The cases of the accuracy', () => {
  it('are all there', () => expect(cases).toHaveLength(oracle.n_cases));
});

describeOnBackends('The measures of retrieval', () => {
  const values = (one: Case, build: (options: object) => RetrievalMetric) => {
    const batch = batchOf(one);
    const reference = one.params.reference ? referenceOf(batch) : undefined;
    const options = {...DISTANCES[one.distance], ...(reference && {reference})};
    return Array.from(build(options)(labelsOf(batch), embeddingsOf(batch)).dataSync());
  };

  it.each(cases.filter(({tie}) => !tie).map((one) => [one.name, one] as const))(
    'are those of the peer, and 0 where that is NaN: %s',
    (_, one) => {
      const {precision_at_1, mean_average_precision_at_r} = one.k_all;
      expectClose(values(one, precisionAt1), [orZero(precision_at_1)], CLOSE);
      expectClose(values(one, meanAveragePrecisionAtR), [orZero(mean_average_precision_at_r)], CLOSE);
      for (const [k, share] of Object.entries(one.hits_at_k ?? {})) {
        expectClose(
          values(one, (options) => recallAtK({...options, k: Number(k)})),
          [share],
          CLOSE,
        );
      }
    },
  );

  it('look at no more rows than there are', () => {
    const [labels, embeddings] = [tf.tensor1d([0, 0, 1], 'int32'), tf.tensor2d([[0], [3], [1]])];
    expectClose(recallAtK({k: 50, normalize: false})(labels, embeddings), [1], CLOSE);
  });

  it('are those of a plain search over rows in several parts', () => {
    const size = 2100;
    const labels = Int32Array.from({length: size}, (_, i) => (i * 31) % 40);
    const rows = tf.add(
      tf.randomNormal([size, 3], 0, 1, 'float32', 1),
      tf.mul(tf.reshape(tf.cast(tf.tensor1d(labels), 'float32'), [-1, 1]), 0.1),
    );
    const list = rows.arraySync() as number[][];
    const isHit = list.map((row, a) => {
      let [best, nearest] = [Number.POSITIVE_INFINITY, -1];
      list.forEach((other, b) => {
        const distance = other.reduce((sum, value, d) => sum + (value - (row[d] as number)) ** 2, 0);
        if (a !== b && distance < best) [best, nearest] = [distance, b];
      });
      return +(labels[a] === labels[nearest]);
    });
    const share = isHit.reduce((sum, hit) => sum + hit, 0) / size;
    const found = precisionAt1({normalize: false})(tf.tensor1d(labels, 'int32'), rows).dataSync()[0] as number;
    expect(Math.abs(found - share)).toBeLessThan(2.5 / size);
  });

  it('count a query that is not finite as a miss, and never find such a row', () => {
    const labels = tf.tensor1d([0, 0, 0, 1, 1], 'int32');
    const embeddings = tf.tensor2d([[0], [0.1], [Number.NaN], [5], [6]]);
    expectClose(precisionAt1({normalize: false})(labels, embeddings), [0.8], CLOSE);
    expectClose(meanAveragePrecisionAtR({normalize: false})(labels, embeddings), [(0.5 + 0.5 + 0 + 1 + 1) / 5], CLOSE);
  });

  it('leave nothing behind, and are a metric of validation', async () => {
    const [labels, embeddings] = [
      tf.tensor1d([0, 0, 1, 1], 'int32'),
      tf.tensor2d([
        [0, 1],
        [0, 2],
        [1, 0],
        [1, 2],
      ]),
    ];
    const measure = meanAveragePrecisionAtR();
    const before = tf.memory().numTensors;
    measure(labels, embeddings).dispose();
    expect(tf.memory().numTensors).toBe(before);

    const model = sequential({layers: [layers.dense({units: 2, inputShape: [2], kernelInitializer: 'identity'})]});
    model.compile({optimizer: tf.train.sgd(0), loss: 'meanSquaredError', metrics: [recallAtK({k: 1}) as never]});
    const {history} = await fitOhem(model, embeddings, tf.reshape(tf.cast(labels, 'float32'), [4, 1]), {
      loss: tripletLoss(),
      validationData: [embeddings, tf.reshape(tf.cast(labels, 'float32'), [4, 1])],
      epochs: 1,
      verbose: 0,
    });
    const [name] = Object.keys(history).filter((key) => key.startsWith('val_') && key !== 'val_loss');
    expect(history[name as string]).toEqual([0.75]);
  });
});
