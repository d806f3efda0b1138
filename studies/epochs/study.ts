import {argMax, oneHot, slice, type Tensor, type Tensor2D, tensor1d, tidy, train} from '@tensorflow/tfjs-core';
import {initializers, type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {
  all,
  cosine,
  earlyStopped,
  type FitOhemArgs,
  fitOhem,
  infoBatch,
  kakurenbo,
  randomK,
  randomSubset,
  type Sampler,
  topK,
} from 'ohem-tfjs';
import {CLASSES, IMAGE_SIZE} from '../../examples/mnist/data/digits';
import {imagesOf} from '../../examples/mnist/experiment/batches';
import {seededRandom, shuffledIndices} from '../../examples/mnist/experiment/random';
import type {Study, StudySettings} from '../kit/study';
import {averagePrecision, featuresOf, HASHED, readMails} from './mails';
import type {EpochsRecord} from './record';
import {epochsReport} from './report';

/** The share of wrong labels. */
const SHARES = [0, 0.2];
/** Epochs between two measurements, which take time too. */
const MEASURED_EVERY = 2;
const PROTOCOL = {learningRate: 0.1, momentum: 0.9, schedule: 'cosine'} as const;

/** What a full training is, and what the rules at equal cost go by. */
interface Occasion {
  seed: number;
  rows: number;
  epochs: number;
  until: number | undefined;
  /** Rows that InfoBatch has run forward. */
  ofInfoBatch: number;
}

/** A sampler without the weights that make up for the rows that it leaves out. */
function unweighted<S>(sampler: Sampler<S>): Sampler<S> {
  return {
    ...sampler,
    choose(...given) {
      const {weights: _, ...chosen} = sampler.choose(...given);
      return chosen;
    },
  };
}

/** The rules; those at equal cost come behind the one whose cost they have. */
const RULES: [name: string, args: (at: Occasion) => FitOhemArgs][] = [
  ['full', () => ({})],
  ['infoBatch()', () => ({sampler: infoBatch()})],
  ['infoBatch(), not rescaled', () => ({sampler: unweighted(infoBatch())})],
  ['fewer epochs', ({ofInfoBatch}) => ({budget: {rows: ofInfoBatch}})],
  [
    'randomSubset({ratio})',
    ({rows, epochs, ofInfoBatch}) => ({sampler: randomSubset({ratio: ofInfoBatch / rows / epochs})}),
  ],
  ['kakurenbo()', () => ({sampler: kakurenbo()})],
  ['earlyStopped()', () => ({sampler: earlyStopped()})],
  ['topK({ratio: 0.5})', () => ({select: topK({ratio: 0.5})})],
  ['randomK({ratio: 0.5})', ({seed}) => ({select: randomK({ratio: 0.5, seed})})],
  ['infoBatch() and topK({ratio: 0.5})', () => ({sampler: infoBatch(), select: topK({ratio: 0.5})})],
];

interface EpochsSettings extends StudySettings {
  flipped: readonly number[];
  rules: readonly string[];
  /** Epochs after which each run ends; its learning rate is that of all `steps`. */
  until?: number;
}

/** Data of a study, and a model for them. */
interface Task {
  x: Tensor2D;
  labels: Uint8Array;
  classes: number;
  batchSize: number;
  model(seed: number): LayersModel;
  errors(model: LayersModel): {testError: number; hardError?: number};
  dispose(): void;
}

function dense(inputs: number, hidden: number, classes: number, seed: number): LayersModel {
  const [first, second] = [2 * seed + 1, 2 * seed + 2];
  return sequential({
    layers: [
      layers.dense({
        inputShape: [inputs],
        units: hidden,
        activation: 'relu',
        kernelInitializer: initializers.heNormal({seed: first}),
      }),
      layers.dense({
        units: classes,
        activation: 'softmax',
        kernelInitializer: initializers.glorotNormal({seed: second}),
      }),
    ],
  });
}

/** Gives a share of the rows another label, each of the others as likely. */
function flipped({labels, classes}: Task, share: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  const wrong = Uint8Array.from(labels);
  for (const row of shuffledIndices(labels.length, random).subarray(0, Math.round(labels.length * share))) {
    wrong[row] = ((wrong[row] as number) + 1 + Math.floor(random() * (classes - 1))) % classes;
  }
  return wrong;
}

/** Trains by all rules, and yields the share of the training runs that are done. */
async function* trainAll(
  task: Task,
  seed: number,
  settings: StudySettings,
): AsyncGenerator<number, EpochsRecord[], undefined> {
  const {steps: epochs, flipped: shares, rules: names, until} = settings as EpochsSettings;
  const rules = RULES.filter(([name]) => names.includes(name));
  const records: EpochsRecord[] = [];
  try {
    for (const share of shares) {
      const labels = tensor1d(flipped(task, share, seed), 'int32');
      const y = tidy(() => oneHot(labels, task.classes));
      const at: Occasion = {seed, epochs, until, rows: labels.size, ofInfoBatch: 0};
      labels.dispose();
      try {
        for (const [rule, argsOf] of rules) {
          const record: EpochsRecord = {rule, flipped: share, forward: [], backward: [], seconds: [], testError: []};
          const rows = await trainBy(record, task, y, at, argsOf(at));
          if (rule === 'infoBatch()') at.ofInfoBatch = rows;
          records.push(record);
          yield records.length / shares.length / rules.length;
        }
      } finally {
        y.dispose();
      }
    }
  } finally {
    task.dispose();
  }
  return records;
}

/** Trains by one rule. Returns how many rows were run forward. */
async function trainBy(
  record: EpochsRecord,
  task: Task,
  y: Tensor,
  {seed, rows, epochs, until}: Occasion,
  args: FitOhemArgs,
): Promise<number> {
  const model = task.model(seed);
  const optimizer = train.momentum(PROTOCOL.learningRate, PROTOCOL.momentum);
  let [forward, backward, seconds, since] = [0, 0, 0, process.cpuUsage()];
  const onEpochEnd = (epoch: number, logs: Record<string, number> = {}) => {
    seconds += secondsSince(since);
    const {kept = 0, rescored = 0} = logs;
    // Without a sampler all rows run forward, but in an epoch that a budget ends: there each of
    // them is kept.
    const {rows: trained = args.budget ? kept : rows} = logs;
    forward += trained + rescored;
    backward += kept;
    if (epoch % MEASURED_EVERY === 1 || epoch === epochs - 1 || args.budget) {
      record.forward.push(forward / rows);
      record.backward.push(backward / rows);
      record.seconds.push(seconds);
      const {testError, hardError} = task.errors(model);
      record.testError.push(testError);
      if (hardError !== undefined) record.hardError = [...(record.hardError ?? []), hardError];
    }
    if (epoch + 1 === until) model.stopTraining = true;
    since = process.cpuUsage();
  };
  const {learningRate} = PROTOCOL;
  try {
    const {state} = await fitOhem(model, task.x, y, {
      ...{loss: 'categoricalCrossentropy', select: all(), optimizer, batchSize: task.batchSize, epochs, seed},
      ...{verbose: 0, yieldEvery: 'never', learningRate: cosine({from: learningRate}), callbacks: {onEpochEnd}},
      ...args,
    });
    return state.spent.rows;
  } finally {
    optimizer.dispose();
    model.dispose();
  }
}

function secondsSince(since: NodeJS.CpuUsage): number {
  const {user, system} = process.cpuUsage(since);
  return (user + system) / 1e6;
}

const settings = (own: object) => (steps: number) => ({
  ...{steps, flipped: SHARES, rules: RULES.map(([name]) => name), ...PROTOCOL},
  ...own,
});

/**
 * Samplers of the rows of an epoch on digits, beside mining in the batch and controls of equal
 * cost.
 */
export const epochs: Study<EpochsRecord[]> = {
  name: 'epochs',
  about: 'rows left out for whole epochs: InfoBatch, KAKURENBO, IES and controls, on digits',
  seeds: 5,
  steps: 20,
  settings: settings({hidden: 128, batchSize: 128}),
  train: (seed, {train: training, test}, settings) => {
    const rowsOf = ({count}: {count: number}) => Uint32Array.from({length: count}, (_, row) => row);
    const [x, tested] = [imagesOf(training, rowsOf(training)), imagesOf(test, rowsOf(test))];
    const task: Task = {
      x,
      labels: Uint8Array.from(training.labels.subarray(0, training.count)),
      ...{classes: CLASSES, batchSize: 128, model: (draw) => dense(IMAGE_SIZE, 128, CLASSES, draw)},
      errors: (model) => ({testError: 1 - rightShare(model, tested, test.labels)}),
      dispose() {
        x.dispose();
        tested.dispose();
      },
    };
    return trainAll(task, seed, settings);
  },
  report: (seeds) => epochsReport(seeds, {task: 'digits', error: 'Test error'}),
};

function rightShare(model: LayersModel, x: Tensor2D, labels: ArrayLike<number>): number {
  const guessed = tidy(() => argMax(model.predict(x, {batchSize: 1000}) as Tensor, 1).dataSync<'int32'>());
  return guessed.reduce((right, guess, row) => right + (guess === labels[row] ? 1 : 0), 0) / guessed.length;
}

/** The same on mails, most of which are easily told from spam. */
export const epochsMails: Study<EpochsRecord[]> = {
  name: 'epochs-mails',
  about: 'the same on mails with and without spam',
  seeds: 5,
  steps: 10,
  settings: settings({hidden: 64, batchSize: 32, words: HASHED}),
  ownData: 'Mails of SpamAssassin, as a package has them',
  async *train(seed, _, settings) {
    const {train: training, test} = await readMails();
    const [x, tested] = [featuresOf(training), featuresOf(test)];
    const task: Task = {
      ...{x, labels: training.labels, classes: 2, batchSize: 32, model: (draw) => dense(HASHED, 64, 2, draw)},
      errors(model) {
        const scores = tidy(() => spamOf(model.predict(tested, {batchSize: 500}) as Tensor));
        return {
          testError: 1 - averagePrecision(test.labels, scores),
          hardError: 1 - averagePrecision(test.labels, scores, test.hard),
        };
      },
      dispose() {
        x.dispose();
        tested.dispose();
      },
    };
    return yield* trainAll(task, seed, settings);
  },
  report: (seeds) => epochsReport(seeds, {task: 'mails', error: '1 − average precision'}),
};

const spamOf = (predicted: Tensor) => slice(predicted, [0, 1], [-1, 1]).dataSync();
