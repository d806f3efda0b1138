import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {all, fitOhemDataset} from 'ohem-tfjs';
import {type PkBatch, pkBatches, tripletLoss} from 'ohem-tfjs/pairs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RUNS} from '../support/property';

/** A data set of one class after the other, whose only feature is the number of the row. */
const dataset = (sizes: readonly number[]) => {
  const labels = sizes.flatMap((size, label) => new Array<number>(size).fill(label * 3));
  return {labels, x: tf.tensor2d(labels.map((_, row) => [row]))};
};
const listed = (make: ReturnType<typeof pkBatches>, epoch: number) => {
  const found = [];
  for (const {xs, ys, index} of make(epoch)) {
    const [rows, labels] = [xs as tf.Tensor, ys as tf.Tensor];
    found.push({index: Array.from(index), rows: Array.from(rows.dataSync()), labels: Array.from(labels.dataSync())});
    tf.dispose([rows, labels]);
  }
  return found;
};

describeOnBackends('pkBatches', () => {
  it('gives P classes with K rows each, no row twice if the class has enough', () => {
    const sizes = fc.array(fc.integer({min: 1, max: 7}), {minLength: 2, maxLength: 6});
    fc.assert(
      fc.property(
        sizes,
        fc.integer({min: 2, max: 4}),
        fc.integer({min: 2, max: 4}),
        fc.nat(50),
        (counts, wanted, perClass, seed) => {
          const {labels, x} = dataset(counts);
          const classes = Math.min(wanted, counts.length);
          for (const {index, rows, labels: given} of listed(pkBatches({x, labels, classes, perClass, seed}), 0)) {
            expect(rows).toEqual(index);
            expect(given).toEqual(index.map((row) => labels[row]));
            const groups = [...grouped(index, labels)];
            expect(groups).toHaveLength(classes);
            for (const [label, ofClass] of groups) {
              expect(ofClass).toHaveLength(perClass);
              const size = counts[(label as number) / 3] as number;
              expect(new Set(ofClass).size).toBe(Math.min(perClass, size));
            }
          }
          x.dispose();
        },
      ),
      {...RUNS, numRuns: 60},
    );
  });

  it('reaches all rows of equal classes in an epoch', () => {
    const {labels, x} = dataset([4, 4, 4, 4, 4, 4]);
    const seen = listed(pkBatches({x, labels, classes: 3, perClass: 2}), 4).flatMap(({index}) => index);
    expect([...seen].sort((a, b) => a - b)).toEqual(labels.map((_, row) => row));
  });

  it('takes time in proportion to the rows of a class', () => {
    const labels = Int32Array.from({length: 100_000}, (_, row) => row % 2);
    const x = tf.zeros([labels.length, 1]);
    const start = performance.now();
    const [batch] = [...pkBatches({x, labels, classes: 2, perClass: 4, batches: 1})(0)] as [PkBatch];
    // A list copied for each row takes half a minute.
    expect(performance.now() - start).toBeLessThan(3000);
    expect(Array.from((batch.ys as tf.Tensor).dataSync()).filter((label) => label === 1)).toHaveLength(4);
  });

  it('depends on seed and epoch alone', () => {
    const {labels, x} = dataset([5, 6, 7]);
    const make = (seed: number) => pkBatches({x, labels, classes: 2, perClass: 3, seed});
    expect(listed(make(1), 3)).toEqual(listed(make(1), 3));
    expect(listed(make(1), 3)).not.toEqual(listed(make(1), 4));
    expect(listed(make(1), 3)).not.toEqual(listed(make(2), 3));
  });

  it('feeds fitOhemDataset, which disposes the batches', async () => {
    const {labels, x} = dataset([6, 6, 6]);
    const model = sequential({layers: [layers.dense({units: 2, inputShape: [1]})]});
    model.compile({optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError'});
    const data = pkBatches({x, labels, classes: 2, perClass: 3, batches: 4});
    const train = () => fitOhemDataset(model, data, {loss: tripletLoss(), select: all(), epochs: 2, verbose: 0});
    await train();
    const before = tf.memory().numTensors;
    const {history} = await train();
    expect(tf.memory().numTensors).toBe(before);
    expect(history.loss).toHaveLength(2);
    expect((history.loss as number[]).every(Number.isFinite)).toBe(true);
  });
});

function grouped(index: readonly number[], labels: readonly number[]): Map<number | undefined, number[]> {
  const groups = new Map<number | undefined, number[]>();
  for (const row of index) groups.set(labels[row], [...(groups.get(labels[row]) ?? []), row]);
  return groups;
}
