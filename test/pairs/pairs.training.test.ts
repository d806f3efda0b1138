/**
 * @file Losses of pairs in the trainers: always the gradient of a plain implementation in ops of
 *   tfjs.
 */
import * as tf from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {all, fitOhem, ohemLoss, ohemStep, topK} from 'ohem-tfjs';
import {
  batchEasyHard,
  batchHard,
  contrastiveLoss,
  type Miner,
  semiHard,
  supervisedContrastive,
  type Triplets,
  tripletLoss,
  tripletMargin,
} from 'ohem-tfjs/pairs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose, expectSameDirection, norm} from '../support/close';
import {hardestRows, plainGradients, plainTripletLoss, sharesOf} from '../support/plainTriplets';
import {repeatably} from '../support/property';
import {weightValues} from '../support/tinyModel';

const ROWS = 12;
const LABELS = [0, 1, 2, 0, 1, 2, 3, 0, 1, 0, 2, 4];
const MARGIN = 0.6;
const xs = () => tf.randomNormal([ROWS, 5], 0, 1, 'float32', 3);
const ys = () => tf.tensor2d(LABELS, [ROWS, 1], 'int32');

const embedder = (): LayersModel =>
  repeatably(() =>
    sequential({layers: [layers.dense({units: 7, activation: 'tanh', inputShape: [5]}), layers.dense({units: 4})]}),
  );

const plain = (soft: boolean) => (embeddings: tf.Tensor) =>
  plainTripletLoss(LABELS, embeddings, {margin: MARGIN, soft});
const everyTriplet = tripletMargin({type: 'all', margin: 9});
const gradientsOf = (model: LayersModel, losses: (embeddings: tf.Tensor) => tf.Tensor, share: readonly number[]) =>
  plainGradients(model, xs(), losses, share).map((gradient) => Array.from(gradient.dataSync()));

/** A step of SGD with rate 1 takes exactly the gradient away. */
function takenBy(model: LayersModel, train: () => void): number[][] {
  const before = weightValues(model);
  train();
  const after = weightValues(model);
  return before.map((values, i) => values.map((value, j) => value - (after[i]?.[j] as number)));
}

let disable: () => void;
beforeAll(() => {
  disable = enableWasmTraining();
});
afterAll(() => disable());

const shareOf = (rows: readonly number[]) => sharesOf(LABELS, rows);
const everyRow = LABELS.map((_, row) => row);

describeOnBackends('A step', () => {
  describe.each([false, true])('with soft: %s', (soft) => {
    const loss = tripletLoss({mine: everyTriplet, margin: MARGIN, soft});

    it.each(['auto', 'masked', 'pruned'] as const)('by %s takes the gradient of the plain triplet loss', (backward) => {
      const model = embedder();
      const want = gradientsOf(model, plain(soft), shareOf(everyRow));
      const step = ohemStep(model, {loss, select: all(), optimizer: tf.train.sgd(1), backward});
      const got = takenBy(model, () => step(xs(), ys()).dispose());
      expectSameDirection(got.flat(), want.flat(), 1e-3, 1e-5);
    });

    it.each(['auto', 'masked', 'pruned'] as const)('by %s takes that of its hardest anchors', (backward) => {
      const model = embedder();
      const step = ohemStep(model, {loss, select: topK({k: 4}), optimizer: tf.train.sgd(1), backward});
      let rows: number[] = [];
      const twin = embedder();
      const got = takenBy(model, () => {
        const report = step(xs(), ys());
        rows = Array.from(report.selection.indices.dataSync());
        report.dispose();
      });
      const want = gradientsOf(twin, plain(soft), shareOf(rows));
      expect(rows).toHaveLength(4);
      expectSameDirection(got.flat(), want.flat(), 1e-3, 1e-5);
    });
  });

  it('refuses to recompute: the loss of a row depends on the others', () => {
    const step = ohemStep(embedder(), {loss: tripletLoss(), optimizer: tf.train.sgd(1), backward: 'recompute'});
    expect(() => step(xs(), ys())).toThrow(/^ohemStep: loss must be known to treat each row independently/);
  });

  it('has the gradient of the hardest anchors in ohemLoss too, in an optimizer of tfjs', () => {
    const [model, twin] = [embedder(), embedder()];
    const mined = ohemLoss(tripletLoss({mine: everyTriplet, margin: MARGIN}), topK({k: 4}));
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const got = takenBy(model, () => {
      tf.train
        .sgd(1)
        .minimize(() => tf.mean(mined(ys(), model.apply(xs(), {training: true}) as tf.Tensor)), false, variables);
    });
    const losses = plain(false)(twin.predict(xs()) as tf.Tensor).dataSync();
    const want = gradientsOf(twin, plain(false), shareOf(hardestRows(LABELS, losses, 4)));
    expectSameDirection(got.flat(), want.flat(), 1e-3, 1e-5);
  });

  it('changes nothing if all rows are of one class, or each of its own', () => {
    for (const labels of [LABELS.map(() => 3), LABELS.map((_, row) => row)]) {
      for (const loss of [tripletLoss(), tripletLoss({mine: batchHard()}), supervisedContrastive()]) {
        const model = embedder();
        const step = ohemStep(model, {loss, select: all(), optimizer: tf.train.sgd(1)});
        const got = takenBy(model, () => step(xs(), tf.tensor2d(labels, [ROWS, 1], 'int32')).dispose());
        expect(got.flat().every((value) => value === 0)).toBe(true);
      }
    }
  });

  it('leaves nothing behind', () => {
    const losses = [
      tripletLoss({mine: semiHard()}),
      tripletLoss({mine: everyTriplet, swap: true}),
      contrastiveLoss(),
      supervisedContrastive(),
    ];
    for (const loss of losses) {
      const step = ohemStep(embedder(), {loss, select: all(), optimizer: tf.train.sgd(0.1)});
      const [given, labels] = [xs(), ys()];
      step(given, labels).dispose();
      const before = tf.memory();
      for (let i = 0; i < 3; i++) step(given, labels).dispose();
      const after = tf.memory();
      expect([after.numTensors, after.numDataBuffers, after.numBytes]).toEqual([
        before.numTensors,
        before.numDataBuffers,
        before.numBytes,
      ]);
    }
  });

  it('is taken by fitOhem, with labels as float32', async () => {
    const model = embedder();
    model.compile({optimizer: tf.train.sgd(0.5), loss: 'meanSquaredError'});
    const {history} = await fitOhem(model, xs(), tf.cast(ys(), 'float32'), {
      loss: tripletLoss({mine: everyTriplet, margin: MARGIN}),
      select: all(),
      batchSize: ROWS,
      epochs: 8,
      shuffle: false,
      verbose: 0,
    });
    const losses = history.loss as number[];
    expect(losses[7] as number).toBeLessThan((losses[0] as number) * 0.95);
    const first = embedder();
    const untrained = plain(false)(first.predict(xs()) as tf.Tensor).dataSync();
    const mean = everyRow.reduce(
      (sum, row) => sum + (untrained[row] as number) * (shareOf(everyRow)[row] as number),
      0,
    );
    expectClose([losses[0] as number], [mean], {absolute: 1e-5, relative: 1e-3});
  });
});

describeOnBackends('An epoch of fitOhem', () => {
  const labels = [...LABELS, ...LABELS.map((label) => (label + 1) % 4), ...LABELS];
  const inputs = () => tf.randomNormal([3 * ROWS, 5], 0, 1, 'float32', 4);

  it.each([
    ['all()', () => all(), ROWS],
    ['topK', () => topK({k: 4}), 4],
  ])('ends at the weights of a loop of plain tfjs, which takes the hardest anchors: %s', async (_, select, kept) => {
    const [model, twin] = [embedder(), embedder()];
    model.compile({optimizer: tf.train.momentum(0.3, 0.9), loss: 'meanSquaredError'});
    await fitOhem(model, inputs(), tf.tensor2d(labels, [3 * ROWS, 1], 'int32'), {
      loss: tripletLoss({mine: everyTriplet, margin: MARGIN}),
      ...{select: select(), batchSize: ROWS, epochs: 1, shuffle: false, verbose: 0},
    });
    const optimizer = tf.train.momentum(0.3, 0.9);
    const variables = twin.trainableWeights.map((weight) => weight.read() as tf.Variable);
    for (const [from, batch] of [0, ROWS, 2 * ROWS].map((first) => [first, tf.slice(inputs(), first, ROWS)] as const)) {
      const own = labels.slice(from, from + ROWS);
      const losses = () => plainTripletLoss(own, twin.apply(batch, {training: true}) as tf.Tensor, {margin: MARGIN});
      const shares = tf.tensor1d(sharesOf(own, hardestRows(own, losses().dataSync(), kept)));
      optimizer.minimize(() => tf.sum(tf.mul(losses(), shares)) as tf.Scalar, false, variables);
    }
    const first = weightValues(embedder()).flat();
    const moved = (weights: number[][]) => weights.flat().map((value, i) => value - (first[i] as number));
    expect(norm(moved(weightValues(twin)))).toBeGreaterThan(0.1);
    expectSameDirection(moved(weightValues(model)), moved(weightValues(twin)), 1e-3);
  });
});

describeOnBackends('The gradient of a few triplets of many rows', () => {
  const rows = 64;
  const options = {
    euclidean: {},
    raw: {normalize: false},
    squared: {distance: 'squaredEuclidean'},
    cosine: {distance: 'cosine'},
    dot: {distance: 'dot'},
  } as const;

  it.each(Object.entries(options))('is that of the same triplets as all pairs: %s', (_, distance) => {
    const yTrue = tf.tensor1d(
      Int32Array.from({length: rows}, (__, row) => (row * 7) % 20),
      'int32',
    );
    const yPred = tf.randomNormal([rows, 6], 0, 1, 'float32', 5);
    const weights = tf.randomNormal([rows], 0, 1, 'float32', 6);
    for (const swap of [false, true]) {
      for (const mine of [batchHard(distance), semiHard(distance)]) {
        const mined = mine(yPred, yTrue) as Triplets;
        // More slots, unused, so that they are too many to take the rows of each.
        const padded = () => {
          const more = (slots: tf.Tensor2D) =>
            tf.pad(slots, [
              [0, 0],
              [0, rows],
            ]) as tf.Tensor2D;
          return {positive: more(mined.positive), negative: more(mined.negative), weights: more(mined.weights)};
        };
        const of = (chosen: Miner) => {
          const loss = tripletLoss({...distance, mine: chosen, margin: 1, swap});
          return tf
            .grad((x) => tf.sum(tf.mul(loss(yTrue, x), weights)))(yPred)
            .dataSync();
        };
        expectSameDirection(
          of(() => ({...mined})),
          of(padded),
          2e-4,
        );
      }
    }
  });
});

describeOnBackends('All triplets of 256 rows of two classes', (backend) => {
  // The chunks are the same on cpu, which takes half a minute for them.
  it.skipIf(backend === 'cpu')('with their gradients never take more than 64 MB at a time', async () => {
    const yTrue = tf.tensor1d(
      Int32Array.from({length: 256}, (_, row) => row % 2),
      'int32',
    );
    const yPred = tf.randomNormal([256, 8], 0, 1, 'float32', 5);
    for (const swap of [false, true]) {
      const loss = tripletLoss({mine: tripletMargin({margin: 9}), margin: 9, swap});
      const before = tf.memory().numBytes;
      const {peakBytes} = await tf.profile(() => tf.grad((x) => tf.sum(loss(yTrue, x)))(yPred));
      expect(peakBytes - before).toBeLessThan(64e6);
    }
  });
});

describeOnBackends('An anchor whose pairs the miner drops', () => {
  it("counts in the reduction 'mean' with the loss 0, but not in 'meanNonZero'", async () => {
    const [labels, points] = [tf.tensor1d([0, 0, 1, 1], 'int32'), tf.tensor2d([[0], [10], [1], [2]])];
    // The positives of rows 0 and 1 are farther than all their negatives.
    const mine = batchEasyHard({normalize: false});
    expect(Array.from((mine(points, labels) as Triplets).weights.dataSync())).toEqual([0, 0, 1, 1]);
    const loss = tripletLoss({mine, margin: 5, normalize: false});
    expectClose(loss(labels, points), [0, 0, 0, 1 - 2 + 5], {absolute: 1e-5, relative: 1e-5});
    expect(Array.from((loss.valid as (yTrue: tf.Tensor) => tf.Tensor)(labels).dataSync())).toEqual([1, 1, 1, 1]);
    const model = sequential({
      layers: [layers.dense({units: 1, inputShape: [1], useBias: false, kernelInitializer: 'ones'})],
    });
    const means = (['mean', 'meanNonZero'] as const).map(async (reduction) => {
      const step = ohemStep(model, {loss, select: all(), optimizer: tf.train.sgd(0), reduction});
      return (await step(points, labels).read()).loss;
    });
    expectClose(await Promise.all(means), [1, 4], {absolute: 1e-5, relative: 1e-5});
  });
});

describeOnBackends("The reduction 'meanNonZero'", () => {
  it('averages over the anchors that violate their margin, as the reducer of PyTorch Metric Learning does', async () => {
    const model = embedder();
    const loss = tripletLoss({mine: batchHard(), margin: 0.1});
    const losses = Array.from(loss(ys(), model.predict(xs()) as tf.Tensor).dataSync());
    const violating = losses.filter((value) => value > 0);
    expect(violating.length).toBeGreaterThan(0);
    expect(violating.length).toBeLessThan(ROWS);
    const step = ohemStep(model, {loss, select: all(), optimizer: tf.train.sgd(0.1), reduction: 'meanNonZero'});
    const report = await step(xs(), ys()).read();
    expectClose([report.loss], [violating.reduce((sum, value) => sum + value, 0) / violating.length], {
      absolute: 1e-6,
      relative: 1e-4,
    });
  });
});
