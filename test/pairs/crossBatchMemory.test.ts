import * as tf from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {all, fitOhem, mapSelector, ohemStep, resumeTraining, saveTraining, type TrainingState, topK} from 'ohem-tfjs';
import {
  batchHard,
  type CrossBatchMemory,
  contrastiveLoss,
  crossBatchMemory,
  marginLoss,
  ntXent,
  semiHard,
  supervisedContrastive,
  tripletLoss,
  tripletMargin,
} from 'ohem-tfjs/pairs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose, expectSameDirection} from '../support/close';
import {repeatably} from '../support/property';
import {shelf} from '../support/shelf';
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
  it('keeps the last rows, the oldest first, and none of a batch twice after it is full', () => {
    const memory = crossBatchMemory({size: 5});
    memory.add(tf.tensor2d([[1], [2], [3]]), tf.tensor1d([1, 2, 3], 'int32'));
    expect(memory.count).toBe(3);
    memory.add(tf.tensor2d([[4], [5], [6]]), tf.tensor1d([4, 5, 6], 'int32'));
    const {embeddings, labels: known} = memory.rows() as {embeddings: tf.Tensor; labels: tf.Tensor};
    expect(Array.from(embeddings.dataSync())).toEqual([2, 3, 4, 5, 6]);
    expect(Array.from(known.dataSync())).toEqual([2, 3, 4, 5, 6]);
    memory.dispose();
    expect(memory.count).toBe(0);
  });

  it('keeps the last rows of three batches that are no divisor of its size', () => {
    const memory = crossBatchMemory({size: 10});
    for (const first of [0, 8, 16]) memory.add(tf.ones([8, 1]), tf.range(first, first + 8, 1, 'int32'));
    expect(Array.from(memory.rows()?.labels.dataSync() ?? [])).toEqual([14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
    memory.dispose();
  });

  it('keeps copies: the tensors of the caller may be disposed', () => {
    const memory = crossBatchMemory({size: 9});
    const [x, y] = [rows(1), labels()];
    memory.add(x, y);
    const values = Array.from(x.dataSync());
    tf.dispose([x, y]);
    expect(Array.from(memory.rows()?.embeddings.dataSync() ?? [])).toEqual(values);
    memory.dispose();
    expect(() => memory.add(rows(1), labels())).toThrow(/^crossBatchMemory: memory must not be disposed/);
  });

  it('is looked at from as many batches on as startAfter says', () => {
    for (const startAfter of [1, 2]) {
      const memory = crossBatchMemory({size: 9, startAfter});
      expect(memory.rows()).toBeUndefined();
      memory.add(rows(1), labels());
      expect(memory.rows()?.labels.size).toBe(startAfter === 1 ? 8 : undefined);
      memory.add(rows(2), labels());
      expect(memory.rows()?.labels.size).toBe(9);
      memory.dispose();
    }
  });

  it('saves rows that are not finite as rows that nothing is compared with', async () => {
    const memory = crossBatchMemory({size: 4});
    const bad = [Number.NaN, 1];
    memory.add(tf.tensor2d([bad, [1, 0], [0, 1]]), tf.tensor1d([0, 0, 1], 'int32'));
    const restored = crossBatchMemory({size: 4, from: JSON.parse(JSON.stringify(await memory.save()))});
    const lossesWith = (past: CrossBatchMemory) =>
      tripletLoss({memory: past, mine: batchHard(), margin: 1})(
        tf.tensor1d([0, 1], 'int32'),
        tf.tensor2d([
          [1, 0.2],
          [0.3, 1],
        ]),
      );
    const without = crossBatchMemory({size: 4});
    without.add(tf.eye(2), tf.tensor1d([0, 1], 'int32'));
    expectClose(lossesWith(memory), lossesWith(without), {absolute: 1e-6, relative: 0});
    expectClose(lossesWith(restored), lossesWith(without), {absolute: 1e-6, relative: 0});
    for (const past of [memory, restored, without]) past.dispose();
  });

  it.each([
    ['ragged rows', {batches: 1, embeddings: [[1, 2], [3]], labels: [0, 1]}, /^crossBatchMemory: from.embeddings must/],
    ['no number', {batches: 1, embeddings: [[null, 2]], labels: [0]}, /^crossBatchMemory: from.embeddings must/],
    ['rows of no width', {batches: 1, embeddings: [[]], labels: [0]}, /^crossBatchMemory: from.embeddings must/],
    ['a label that is none', {batches: 1, embeddings: [[1, 2]], labels: [0.5]}, /^crossBatchMemory: from.labels must/],
    ['no batch', {batches: -1, embeddings: [[1, 2]], labels: [1]}, /^crossBatchMemory: from must be what save/],
    ['fewer labels', {batches: 1, embeddings: [[1, 2]], labels: []}, /^crossBatchMemory: from must be what save/],
    [
      'more rows',
      {batches: 1, embeddings: [[1], [2], [3]], labels: [0, 1, 2]},
      /^crossBatchMemory: size must be at least 3/,
    ],
  ])('refuses to resume from %s', (_, from, message) => {
    expect(() => crossBatchMemory({size: 2, from: from as never})).toThrow(message);
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

  describe('with a memory, an anchor counts by its batch and the memory together', () => {
    const build = {tripletLoss, marginLoss, ntXent, supervisedContrastive};

    it.each(Object.entries(build))('in %s', (_, lossOf) => {
      const validOf = (past: number[], batch: number[]) => {
        const memory = crossBatchMemory({size: 8});
        memory.add(tf.randomNormal([past.length, 2]), tf.tensor1d(past, 'int32'));
        const {valid} = lossOf({memory}) as {valid: (y: tf.Tensor) => tf.Tensor};
        const counted = Array.from(valid(tf.tensor1d(batch, 'int32')).dataSync());
        memory.dispose();
        return counted;
      };
      // The pairs of the batch itself, with negatives of both.
      expect(validOf([5, 6, 7, 8], [0, 0, 1, 1])).toEqual([1, 1, 1, 1]);
      // The memory on the diagonal: row i of the batch is not row i of the memory.
      expect(validOf([0, 1, 2, 3], [0, 1, 2, 3])).toEqual([1, 1, 1, 1]);
      // A memory of fewer rows than the batch.
      expect(validOf([1], [0, 0, 1, 9])).toEqual([1, 1, 1, 0]);
      // No negative anywhere.
      expect(validOf([4, 4], [4, 4, 4])).toEqual([0, 0, 0]);
    });

    it('so that the step counts rows as their losses do', async () => {
      const memory = crossBatchMemory({size: 64});
      const optimizer = tf.train.sgd(0.1);
      const step = ohemStep(model(), {loss: tripletLoss({memory, margin: 9}), select: memory.fedBy(all()), optimizer});
      step(tf.slice(rows(1), 0, 2), tf.tensor1d([8, 9], 'int32')).dispose();
      const report = step(rows(2), labels());
      const anyLoss = Array.from(report.losses.dataSync(), (loss) => Number(loss > 0));
      expect(anyLoss).toEqual([1, 1, 1, 1, 1, 1, 0, 1]);
      expect((await report.read()).kept).toBe(7);
      step.dispose();
    });
  });

  it('is fed once in each step of training, and never by validation', async () => {
    const memory = crossBatchMemory({size: 100});
    const y = tf.tensor2d(LABELS, [8, 1]);
    const counts: number[] = [];
    await fitOhem(model(), rows(1), y, {
      callbacks: {onEpochEnd: () => void counts.push(memory.count)},
      loss: tripletLoss({memory}),
      select: memory.fedBy(topK({ratio: 0.5})),
      batchSize: 4,
      epochs: 3,
      validationData: [rows(2), y],
      verbose: 0,
    });
    expect(counts).toEqual([8, 16, 24]);
    // It was disposed with the run.
    expect(memory.count).toBe(0);
  });

  it('resumes from what was saved, to the same weights', async () => {
    const [xs, ys] = [rows(3), labels()];
    const take = (built: LayersModel, memory: ReturnType<typeof crossBatchMemory>, steps: number) => {
      const optimizer = tf.train.sgd(0.1);
      const step = ohemStep(built, {loss: tripletLoss({memory, margin: 1}), select: memory.fedBy(all()), optimizer});
      for (let i = 0; i < steps; i++) step(xs, ys).dispose();
      return step;
    };
    const [one, other] = [model(), model()];
    take(one, crossBatchMemory({size: 20}), 4).dispose();
    const first = crossBatchMemory({size: 20});
    const begun = take(other, first, 2);
    const saved = JSON.parse(JSON.stringify(await first.save()));
    begun.dispose();
    expect(first.count).toBe(0);
    take(other, crossBatchMemory({size: 20, from: saved}), 2).dispose();
    expect(weightValues(other)).toEqual(weightValues(one));
  });

  describe('as a part of a training run', () => {
    const y = () => tf.tensor2d(LABELS, [8, 1]);
    const args = (memory: CrossBatchMemory, select = memory.fedBy(topK({ratio: 0.5}))) => ({
      ...{loss: tripletLoss({memory, margin: 1}), select, batchSize: 4, seed: 3, verbose: 0 as const},
    });
    const compiled = () => {
      const built = model();
      built.compile({optimizer: tf.train.momentum(0.1, 0.9), loss: 'meanSquaredError'});
      return built;
    };

    it.each(['epoch', 1] as const)(
      'is saved with it: killed and resumed it ends at the same weights, by checkpoints at each %s',
      async (checkpointEvery) => {
        for (const startAfter of [0, 3]) {
          const {save, at} = shelf();
          const [whole, resumed] = [compiled(), compiled()];
          const checkpoint = (state: TrainingState) => saveTraining({save}, whole, state);
          const memory = crossBatchMemory({size: 6, startAfter});
          await fitOhem(whole, rows(1), y(), {...args(memory), epochs: 4, checkpointEvery, checkpoint});
          const initialState = await resumeTraining(at(checkpointEvery === 'epoch' ? 1 : 2), resumed);
          const another = crossBatchMemory({size: 6, startAfter});
          await fitOhem(resumed, rows(1), y(), {...args(another), epochs: 4, initialState});
          expect(weightValues(resumed)).toEqual(weightValues(whole));
          // Without its rows it would have come elsewhere.
          const forgetful = compiled();
          const {memory: _, ...without} = (await resumeTraining(at(1), forgetful)) as TrainingState;
          const none = crossBatchMemory({size: 6, startAfter});
          await fitOhem(forgetful, rows(1), y(), {...args(none), epochs: 4, initialState: without});
          expect(weightValues(forgetful)).not.toEqual(weightValues(whole));
        }
      },
    );

    it('continues from call to call, also around another selector', async () => {
      const [one, other] = [compiled(), compiled()];
      const wrapped = (memory: CrossBatchMemory) => mapSelector(memory.fedBy(topK({ratio: 0.5})), (chosen) => chosen);
      const [first, second] = [crossBatchMemory({size: 6}), crossBatchMemory({size: 6})];
      await fitOhem(one, rows(1), y(), {...args(first, wrapped(first)), epochs: 4});
      const same = args(second, wrapped(second));
      for (let i = 0; i < 4; i++) await fitOhem(other, rows(1), y(), {...same, epochs: 1});
      expect(weightValues(other)).toEqual(weightValues(one));
    });

    it('refuses what was saved of another selector, or of a larger memory', async () => {
      const memory = crossBatchMemory({size: 2});
      const {store} = memory.fedBy(all());
      expect(() => store?.restore([1, 2, 3])).toThrow(/^crossBatchMemory: memory must be that of the same selector/);
      expect(() => store?.restore([1, 3, 0, 0, 1, 5, 6, 7])).toThrow(/^crossBatchMemory: size must be at least 3/);
      store?.restore([1, 2, 0, 1, 5, 6]);
      expect(memory.count).toBe(2);
      expect(await store?.save()).toEqual([1, 2, 0, 1, 5, 6]);
      store?.dispose();
      expect([memory.count, await store?.save()]).toEqual([0, []]);
    });
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
    expect(() => memory.fedBy(memory.fedBy(all()))).toThrow(/^crossBatchMemory: select must be stateless/);
    memory.dispose();
  });
});
