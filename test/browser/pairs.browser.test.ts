/**
 * @file Miners and losses of pairs on four backends: the same choices, losses and gradients, and no
 *   read in a step.
 */
import * as tf from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {all, fitOhem, jointLoss, ohemLoss, ohemStep, type PerSampleLoss, topK} from 'ohem-tfjs';
import {
  angular,
  batchEasyHard,
  batchHard,
  contrastiveLoss,
  crossBatchMemory,
  distanceWeighted,
  hardContrastive,
  hardestShare,
  inBatchSoftmax,
  marginLoss,
  meanAveragePrecisionAtR,
  mineHardNegatives,
  multiSimilarity,
  multiSimilarityLoss,
  ntXent,
  pairMargin,
  precisionAt1,
  recallAtK,
  semiHard,
  supervisedContrastive,
  type Triplets,
  tripletLoss,
  tripletMargin,
} from 'ohem-tfjs/pairs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterEach, describe, expect, it} from 'vitest';
import {expectSameDirection, norm} from '../support/close';
import {hardestRows, plainGradients, plainTripletLoss, sharesOf} from '../support/plainTriplets';
import {repeatably} from '../support/property';
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
    const metrics = [meanAveragePrecisionAtR(), recallAtK({k: 2}), precisionAt1()];
    const measured = async () => {
      const values = metrics.map((metric) =>
        tf.tidy(() => metric(tf.tensor1d(LABELS, 'int32'), tf.tensor2d(VALUES, [ROWS, 3]))),
      );
      const read = await Promise.all(values.map((value) => value.data()));
      tf.dispose(values);
      return read.map(([share]) => share as number);
    };
    const here = await measured();
    await tf.setBackend('cpu');
    const there = await measured();
    await tf.setBackend(backend);
    expectSameDirection(here, there, 0, 1e-5);
  });

  it('draws negatives by distance: each positive has one, of another class', async () => {
    const mined = tf.tidy(
      () => distanceWeighted({seed: 3})(tf.tensor2d(VALUES, [ROWS, 3]), tf.tensor1d(LABELS, 'int32')) as Triplets,
    );
    const [positives, negatives, weights] = (await Promise.all(
      [mined.positive, mined.negative, mined.weights].map((slots) => slots.data()),
    )) as [Int32Array, Int32Array, Float32Array];
    const width = mined.weights.shape[1];
    tf.dispose([mined.positive, mined.negative, mined.weights]);
    const drawn = Array.from(weights).flatMap((weight, slot) =>
      weight > 0 ? [[Math.floor(slot / width), positives[slot], negatives[slot]] as [number, number, number]] : [],
    );
    const pairs = LABELS.flatMap((label, a) =>
      LABELS.flatMap((other, p) => (a !== p && label === other ? [[a, p]] : [])),
    );
    expect(drawn.map(([a, p]) => [a, p])).toEqual(pairs);
    expect(drawn.filter(([a, , n]) => LABELS[a] === LABELS[n])).toEqual([]);
  });

  it('is mined for negatives alike', async () => {
    const mined = async () => {
      const [queries, documents] = [tf.tensor2d(VALUES.slice(0, 12), [4, 3]), tf.tensor2d(VALUES, [ROWS, 3])];
      const {negatives, dropped} = await mineHardNegatives({
        ...{queries, documents, positives: [4, [5, 6], 7, 8]},
        ...{absoluteMargin: 0.1, count: 2, rangeMin: 1, batchSize: 3},
      });
      tf.dispose([queries, documents]);
      return {negatives: negatives.map((rows) => Array.from(rows)), dropped};
    };
    const here = await mined();
    await tf.setBackend('cpu');
    const there = await mined();
    await tf.setBackend(backend);
    expect(here).toEqual(there);
    expect(here.negatives.flat().length).toBeGreaterThan(2);
  });
});

const MARGIN = 0.6;
const everyTriplet = tripletMargin({type: 'all', margin: 9});
const plainLosses = (embeddings: tf.Tensor) => plainTripletLoss(LABELS, embeddings, {margin: MARGIN});

const embedder = (): LayersModel =>
  repeatably(() =>
    sequential({layers: [layers.dense({units: 7, activation: 'tanh', inputShape: [3]}), layers.dense({units: 4})]}),
  );

/** Numbers of several tensors, which are disposed. */
async function read(tensors: tf.Tensor[]): Promise<number[]> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data()));
  tf.dispose(tensors);
  return values.flatMap((numbers) => Array.from(numbers));
}

/** What a training run takes from the weights: with SGD of rate 1 the gradient. */
async function takenBy(model: LayersModel, train: () => unknown): Promise<number[]> {
  const weights = () => read(model.getWeights().map((weight) => tf.clone(weight)));
  const before = await weights();
  await train();
  const after = await weights();
  return before.map((value, i) => value - (after[i] as number));
}

describeOnBackends('A trainer with tripletLoss', () => {
  const loss = tripletLoss({mine: everyTriplet, margin: MARGIN});
  const inputs = () => [tf.tensor2d(VALUES, [ROWS, 3]), tf.tensor2d(LABELS, [ROWS, 1], 'int32')] as const;
  const selections = {
    'all rows': {select: all(), count: ROWS},
    'the hardest rows': {select: topK({k: 4}), count: 4},
  };
  /** The gradient of the hardest anchors in plain tfjs. */
  const plainlyTaken = async (count: number) => {
    const twin = embedder();
    const [xs] = inputs();
    const losses = await read([tf.tidy(() => plainLosses(twin.predict(xs) as tf.Tensor))]);
    const gradient = await read(
      plainGradients(twin, xs, plainLosses, sharesOf(LABELS, hardestRows(LABELS, losses, count))),
    );
    expect(norm(gradient)).toBeGreaterThan(0.05);
    return gradient;
  };

  describe.each(Object.entries(selections))('over %s', (_, {select, count}) => {
    it.each(['auto', 'masked', 'pruned'] as const)('takes the gradient of plain tfjs by %s', async (backward) => {
      const model = embedder();
      const [xs, ys] = inputs();
      const step = ohemStep(model, {loss, select, optimizer: tf.train.sgd(1), backward});
      const got = await takenBy(model, () => step(xs, ys).dispose());
      expectSameDirection(got, await plainlyTaken(count), 5e-3, 1e-4);
    });

    it('takes it by ohemLoss in an optimizer of tfjs', async () => {
      const model = embedder();
      const [xs, ys] = inputs();
      const mined = ohemLoss(loss, select);
      const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const got = await takenBy(model, () => {
        const value = () => tf.mean(mined(ys, model.apply(xs, {training: true}) as tf.Tensor)) as tf.Scalar;
        tf.train.sgd(1).minimize(value, false, variables);
      });
      expectSameDirection(got, await plainlyTaken(count), 5e-3, 1e-4);
    });

    it('takes it by fitOhem', async () => {
      const model = embedder();
      const [xs, ys] = inputs();
      model.compile({optimizer: tf.train.sgd(1), loss: 'meanSquaredError'});
      const got = await takenBy(model, () =>
        fitOhem(model, xs, ys, {loss, select, epochs: 1, batchSize: ROWS, shuffle: false, verbose: 0}),
      );
      expectSameDirection(got, await plainlyTaken(count), 5e-3, 1e-4);
    });
  });

  it('refuses to recompute, because the loss of a row depends on the others', () => {
    const [xs, ys] = inputs();
    const step = ohemStep(embedder(), {loss, optimizer: tf.train.sgd(1), backward: 'recompute'});
    expect(() => step(xs, ys)).toThrow(/loss must be known to treat each row independently/);
  });
});
