import {
  abs,
  argMax,
  dispose,
  eye,
  step as isPositive,
  mul,
  randomUniform,
  reshape,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tidy,
  train,
  transpose,
} from '@tensorflow/tfjs-core';
import {layers, type Sequential, sequential} from '@tensorflow/tfjs-layers';
import {all, type OhemStep, ohemStep, type PerSampleLoss} from 'ohem-tfjs';
import {
  batchHard,
  collapseWatch,
  embeddingSpread,
  type Miner,
  meanAveragePrecisionAtR,
  multiSimilarity,
  multiSimilarityLoss,
  pkBatches,
  precisionAt1,
  semiHard,
  type Triplets,
  tripletLoss,
} from 'ohem-tfjs/pairs';
import {type Digits, IMAGE_SIZE} from '../../examples/mnist/data/digits';
import {imagesOf} from '../../examples/mnist/experiment/batches';
import type {TrainAndTest} from '../../examples/mnist/experiment/trainRun';
import type {Study} from '../kit/study';
import type {PairsRecord} from './record';
import {pairsReport} from './report';

const MARGIN = 0.2;
const PER_CLASS = 8;
const PROTOCOL = {hidden: 256, embedding: 64, learningRate: 0.001, margin: MARGIN, perClass: PER_CLASS} as const;
const TRAINING_DIGITS = 10_000;
const TEST_DIGITS = 2000;
/** Steps between two measurements; there are six by default. */
const MEASUREMENTS = 6;
/** Steps between two looks at how far the embeddings of the batch are apart. */
const WATCHED_EVERY = 10;

interface Task {
  digits: string;
  isTrained: (label: number) => boolean;
  isTested: (label: number) => boolean;
}

const TASKS: Task[] = [
  {digits: 'all digits', isTrained: () => true, isTested: () => true},
  {digits: 'unseen digits', isTrained: (label) => label < 5, isTested: (label) => label >= 5},
];

/** A triplet an anchor, drawn from all. */
function randomTriplets(seed: number): Miner {
  let draws = seed * 1_000_000;
  return (embeddings, labels) =>
    tidy(() => {
      const size = embeddings.shape[0] as number;
      const column = reshape(mul(labels, 1), [size, 1]);
      const isOther = isPositive(abs(sub(column, transpose(column))));
      const isSame = sub(sub(1, isOther), eye(size));
      const drawn = (marks: Tensor) => {
        const noise = randomUniform([size, size], 0.01, 1, 'float32', draws++);
        return reshape(argMax(mul(noise, marks), 1), [size, 1]) as Tensor2D;
      };
      const isBoth = isPositive(sum(isSame, 1));
      return {positive: drawn(isSame), negative: drawn(isOther), weights: reshape(isBoth, [size, 1])} as Triplets;
    });
}

const ARMS: {name: string; loss: (seed: number) => PerSampleLoss}[] = [
  {name: 'random triplets', loss: (seed) => tripletLoss({mine: randomTriplets(seed), margin: MARGIN})},
  {name: 'semi-hard', loss: () => tripletLoss({mine: semiHard(), margin: MARGIN})},
  {name: 'batch-hard', loss: () => tripletLoss({mine: batchHard(), margin: MARGIN})},
  {name: 'multi-similarity', loss: () => multiSimilarityLoss({mine: multiSimilarity()})},
];

/**
 * Embeddings of digits by the miners of triplets: of the digits that were trained on, and of
 * others.
 */
export const pairs: Study<PairsRecord[]> = {
  name: 'pairs',
  about: 'embeddings of digits, by semi-hard, batch-hard, multi-similarity and random triplets',
  seeds: 3,
  steps: 300,
  settings: (steps) => ({steps, trainingDigits: TRAINING_DIGITS, testDigits: TEST_DIGITS, ...PROTOCOL}),
  async *train(seed, digits, {steps, tasks: names}) {
    const records: PairsRecord[] = [];
    const tasks = TASKS.filter((task) => (names as string[] | undefined)?.includes(task.digits) ?? true);
    const total = tasks.length * ARMS.length;
    for (const task of tasks) {
      const data = dataOf(task, digits);
      try {
        for (const arm of ARMS) {
          const record = emptyRecord(arm.name, task.digits);
          for await (const share of trained(record, data, {seed, steps, loss: arm.loss(seed)})) {
            yield (records.length + share) / total;
          }
          records.push(record);
        }
      } finally {
        dispose([data.x, data.test, data.testLabels]);
      }
    }
    return records;
  },
  report: pairsReport,
};

const emptyRecord = (name: string, digits: string): PairsRecord => ({
  ...{name, digits, measuredAt: [], recallAt1: [], meanAveragePrecisionAtR: [], spread: [], loss: []},
});

interface PairsData {
  x: Tensor2D;
  labels: number[];
  test: Tensor2D;
  testLabels: Tensor1D;
}

function dataOf({isTrained, isTested}: Task, {train: training, test}: TrainAndTest): PairsData {
  const rowsOf = (set: Digits, isIn: (label: number) => boolean, most: number) =>
    Array.from(set.labels.subarray(0, set.count), (label, row) => ({label, row}))
      .slice(0, most)
      .filter(({label}) => isIn(label));
  const [rows, testRows] = [rowsOf(training, isTrained, TRAINING_DIGITS), rowsOf(test, isTested, TEST_DIGITS)];
  return {
    x: imagesOf(
      training,
      rows.map(({row}) => row),
    ),
    labels: rows.map(({label}) => label),
    test: imagesOf(
      test,
      testRows.map(({row}) => row),
    ),
    testLabels: tensor1d(
      testRows.map(({label}) => label),
      'int32',
    ),
  };
}

function embedder(seed: number): Sequential {
  const init = (draw: number) => ({
    kernelInitializer: {className: 'GlorotUniform', config: {seed: 2 * seed + draw}} as never,
  });
  return sequential({
    layers: [
      layers.dense({units: PROTOCOL.hidden, activation: 'relu', inputShape: [IMAGE_SIZE], ...init(0)}),
      layers.dense({units: PROTOCOL.embedding, ...init(1)}),
    ],
  });
}

interface Training {
  seed: number;
  steps: number;
  loss: PerSampleLoss;
}

/** Trains, and yields the share of the steps that is done. */
async function* trained(
  record: PairsRecord,
  data: PairsData,
  {seed, steps, loss}: Training,
): AsyncGenerator<number, void> {
  const model = embedder(seed);
  const optimizer = train.adam(PROTOCOL.learningRate);
  const step = ohemStep(model, {loss, select: all(), optimizer});
  const {x, labels} = data;
  const classes = Math.min(new Set(labels).size, 10);
  const epochOf = pkBatches({x, labels, classes, perClass: PER_CLASS, seed});
  const watch = collapseWatch({...(loss.atPoint !== undefined && {margin: loss.atPoint})});
  const every = Math.max(1, Math.floor(steps / MEASUREMENTS));
  try {
    measure(record, model, data, 0, Number.NaN);
    for (let done = 0, epoch = 0; done < steps; epoch++) {
      for (const {xs, ys} of epochOf(epoch)) {
        const last = await stepLoss(step, xs as Tensor, ys as Tensor);
        if (done % WATCHED_EVERY === 0) watch.note(`step ${done}`, last.spread, last.loss);
        if (watch.hasCollapsed) record.collapsedAt ??= done;
        done++;
        if (done % every === 0 || done === steps) measure(record, model, data, done, last.loss);
        yield done / steps;
        if (done === steps) break;
      }
    }
  } finally {
    step.dispose();
    optimizer.dispose();
    model.dispose();
  }
}

async function stepLoss(step: OhemStep, xs: Tensor, ys: Tensor): Promise<{loss: number; spread: number}> {
  try {
    const report = step(xs, ys);
    const [spread = 0] = (await report.spread?.data()) ?? [];
    return {loss: (await report.read()).loss, spread};
  } finally {
    dispose([xs, ys]);
  }
}

const MEASURES = {
  recallAt1: precisionAt1(),
  meanAveragePrecisionAtR: meanAveragePrecisionAtR(),
  spread: embeddingSpread(),
} as const;

function measure(
  record: PairsRecord,
  model: Sequential,
  {test, testLabels}: PairsData,
  at: number,
  loss: number,
): void {
  record.measuredAt.push(at);
  // JSON has no NaN.
  record.loss.push(Number.isNaN(loss) ? 0 : loss);
  tidy(() => {
    const embeddings = model.predict(test, {batchSize: TEST_DIGITS}) as Tensor;
    for (const [name, of] of Object.entries(MEASURES)) {
      record[name as keyof typeof MEASURES].push(of(testLabels, embeddings).dataSync()[0] as number);
    }
  });
}
