import * as tf from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {all, fitOhem, ohemStep, topK} from 'ohem-tfjs';
import {
  contrastiveLoss,
  crossBatchMemory,
  semiHard,
  supervisedContrastive,
  tripletLoss,
  tripletMargin,
} from 'ohem-tfjs/pairs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose, expectSameDirection} from '../support/close';
import {repeatably} from '../support/property';
import {weightValues} from '../support/tinyModel';

const LABELS = [0, 1, 2, 0, 1, 2, 3, 0];
const labels = () => tf.tensor1d(LABELS, 'int32');
const rows = (seed: number) => tf.randomNormal([LABELS.length, 3], 0, 1, 'float32', seed);
const model = (): LayersModel =>
  repeatably(() => {
    const built = sequential({layers: [layers.dense({units: 3, inputShape: [3]})]});
    built.compile({optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError'});
    return built;
  });

describeOnBackends('crossBatchMemory', () => {
  it('keeps the newest rows, and none of a batch twice after it is full', () => {
    const memory = crossBatchMemory({size: 5});
    memory.add(tf.tensor2d([[1], [2], [3]]), tf.tensor1d([1, 2, 3], 'int32'));
    expect(memory.count).toBe(3);
    memory.add(tf.tensor2d([[4], [5], [6]]), tf.tensor1d([4, 5, 6], 'int32'));
    const {embeddings, labels: known} = memory.rows() as {embeddings: tf.Tensor; labels: tf.Tensor};
    expect(Array.from(embeddings.dataSync())).toEqual([4, 5, 6, 1, 2]);
    expect(Array.from(known.dataSync())).toEqual([4, 5, 6, 1, 2]);
    memory.dispose();
    expect(memory.count).toBe(0);
  });

  it('is looked at only after the first batches', () => {
    const memory = crossBatchMemory({size: 9, startAfter: 1});
    memory.add(rows(1), labels());
    expect(memory.rows()).toBeUndefined();
    memory.add(rows(2), labels());
    expect(memory.rows()?.labels.size).toBe(9);
    memory.dispose();
  });

  const losses = {
    tripletLoss: (memory?: ReturnType<typeof crossBatchMemory>) =>
      tripletLoss({mine: tripletMargin({margin: 9}), soft: true, ...(memory && {memory})}),
    'tripletLoss of semiHard': (memory?: ReturnType<typeof crossBatchMemory>) =>
      tripletLoss({mine: semiHard(), margin: 1, ...(memory && {memory})}),
    contrastiveLoss: (memory?: ReturnType<typeof crossBatchMemory>) => contrastiveLoss({...(memory && {memory})}),
    supervisedContrastive: (memory?: ReturnType<typeof crossBatchMemory>) =>
      supervisedContrastive({...(memory && {memory})}),
  };

  it.each(Object.entries(losses))(
    'makes %s that of the anchors in a batch with all rows, of which the old ones do not move',
    (_, build) => {
      const memory = crossBatchMemory({size: 50});
      const old = rows(5);
      memory.add(old, labels());
      const [batch, size] = [rows(6), LABELS.length];
      const [whole, known] = [tf.concat([batch, old]), tf.concat([labels(), labels()])];
      const loss = build(memory);
      expectClose(loss(labels(), batch), tf.slice(build()(known, whole), 0, size), {absolute: 1e-5, relative: 1e-4});
      const got = tf.grad((x) => tf.sum(loss(labels(), x)))(batch);
      const want = tf.grad((x) =>
        tf.sum(tf.slice(build()(known, tf.concat([x as tf.Tensor2D, old as tf.Tensor2D])), 0, size)),
      )(batch);
      expectSameDirection(got, want, 1e-3, 1e-6);
      memory.dispose();
    },
  );

  it('makes rows count that have no positive in their batch', () => {
    const memory = crossBatchMemory({size: 8});
    const loss = tripletLoss({memory});
    const valid = () =>
      Array.from((loss.valid as (y: tf.Tensor) => tf.Tensor)(tf.tensor1d([0, 1, 9], 'int32')).dataSync());
    expect(valid()).toEqual([0, 0, 0]);
    memory.add(rows(1), labels());
    expect(valid()).toEqual([1, 1, 0]);
    memory.dispose();
  });

  it('is fed once in each step of training, and never by validation', async () => {
    const memory = crossBatchMemory({size: 100});
    const y = tf.tensor2d(LABELS, [8, 1]);
    await fitOhem(model(), rows(1), y, {
      loss: tripletLoss({memory}),
      select: memory.fedBy(topK({ratio: 0.5})),
      batchSize: 4,
      epochs: 3,
      validationData: [rows(2), y],
      verbose: 0,
    });
    expect(memory.count).toBe(24);
    memory.dispose();
  });

  it('goes on from what was saved, to the same weights', async () => {
    const [xs, ys] = [rows(3), labels()];
    const take = (built: LayersModel, memory: ReturnType<typeof crossBatchMemory>, steps: number) => {
      const optimizer = tf.train.sgd(0.1);
      const step = ohemStep(built, {loss: tripletLoss({memory, margin: 1}), select: memory.fedBy(all()), optimizer});
      for (let i = 0; i < steps; i++) step(xs, ys).dispose();
      step.dispose();
    };
    const [one, other] = [model(), model()];
    const memory = crossBatchMemory({size: 20});
    take(one, memory, 4);
    const first = crossBatchMemory({size: 20});
    take(other, first, 2);
    const resumed = crossBatchMemory({size: 20, from: JSON.parse(JSON.stringify(await first.save()))});
    take(other, resumed, 2);
    expect(weightValues(other)).toEqual(weightValues(one));
    for (const used of [memory, first, resumed]) used.dispose();
  });

  it('leaves no tensor behind', () => {
    const [built, xs, ys] = [model(), rows(3), labels()];
    const memory = crossBatchMemory({size: 12});
    const select = memory.fedBy(topK({k: 3}));
    const step = ohemStep(built, {loss: tripletLoss({memory, margin: 1}), select, optimizer: tf.train.sgd(0.1)});
    for (let i = 0; i < 3; i++) step(xs, ys).dispose();
    const full = tf.memory();
    for (let i = 0; i < 3; i++) step(xs, ys).dispose();
    expect([tf.memory().numTensors, tf.memory().numBytes]).toEqual([full.numTensors, full.numBytes]);
    memory.dispose();
    expect(tf.memory().numTensors).toBe(full.numTensors - 2);
  });

  it('never lets a row that is not finite reach the losses', () => {
    const memory = crossBatchMemory({size: 8});
    memory.add(
      tf.tensor2d([
        [Number.NaN, 0, 0],
        [1, 0, 0],
      ]),
      tf.tensor1d([0, 0], 'int32'),
    );
    const values = tripletLoss({memory})(labels(), rows(2)).dataSync();
    expect(Array.from(values).every(Number.isFinite)).toBe(true);
    memory.dispose();
  });

  it('refuses embeddings of another width, and swap, which it cannot do', () => {
    const memory = crossBatchMemory({size: 8});
    memory.add(rows(1), labels());
    expect(() => memory.add(tf.ones([2, 4]), tf.tensor1d([0, 1], 'int32'))).toThrow(
      /^crossBatchMemory: embeddings must have the width/,
    );
    expect(() => tripletLoss({memory})(tf.tensor1d([0, 1], 'int32'), tf.ones([2, 4]))).toThrow(
      /^tripletLoss: yPred must have the width/,
    );
    expect(() => tripletLoss({memory, swap: true})).toThrow(/^tripletLoss: swap must be false with a memory/);
    expect(() => memory.fedBy(memory.fedBy(all()))).toThrow(/^crossBatchMemory: select must go by the batch alone/);
    memory.dispose();
  });
});
