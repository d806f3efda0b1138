import {dispose, tensor1d} from '@tensorflow/tfjs-core';
import {accuracySteps, all, type KeepSchedule, type Selector, scheduled, topK} from 'ohem-tfjs';
import type {Digits} from '../../examples/mnist/data/digits';
import {imagesOf, labelsOf, rowStream} from '../../examples/mnist/experiment/batches';
import {median} from '../../examples/mnist/experiment/median';
import type {TrainAndTest} from '../../examples/mnist/experiment/trainRun';
import type {Study} from '../kit/study';
import type {OrderedRecord} from './record';
import {orderedReport} from './report';
import type {SgdOptions, TensorSet, Trainee} from './trainee';

const BATCH_SIZE = 64;
const PROTOCOL = {learningRate: 0.01, momentum: 0.9, weightDecay: 1e-4} as const;
/** Epochs, counted from 1, before which the learning rate falls to a tenth. */
const FALLS = [10, 50];
/**
 * It falls once more as soon as that share of the training images is classified correctly, which
 * the paper does not say and the authors' code does.
 */
const FALLS_AT_ACCURACY = 0.995;

interface Arm {
  name: string;
  select: () => Selector & {schedule?: KeepSchedule<unknown>};
}

const ARMS: Arm[] = [
  {name: 'SGD', select: all},
  // A count and not a ratio: of the last batch, which is smaller, the authors' code keeps as many
  // rows as of the others.
  {name: 'Ordered SGD', select: () => scheduled(({ratio}) => topK({k: BATCH_SIZE * ratio}), accuracySteps())},
];

/** What one study of Ordered SGD has for itself. */
export interface OrderedStudyOptions {
  name: string;
  about: string;
  seeds: number;
  epochs: number;
  /** For the title of the figure. */
  model: string;
  /** What of the errors the figure shows. */
  errors: {from: number; to: number};
  make: (options: SgdOptions) => Trainee;
}

/**
 * A network on MNIST by SGD and by Ordered SGD, as Kawaguchi & Lu (AISTATS 2020, §5, Table 1, and
 * their code) trained it.
 */
export function orderedStudy({
  model,
  errors,
  make,
  epochs: steps,
  ...about
}: OrderedStudyOptions): Study<OrderedRecord[]> {
  return {
    ...about,
    steps,
    settings: (steps) => ({
      steps,
      batchSize: BATCH_SIZE,
      ...PROTOCOL,
      falls: FALLS,
      fallsAtAccuracy: FALLS_AT_ACCURACY,
    }),
    async *train(seed, digits, {steps: epochs}) {
      const sets = {train: tensorsOf(digits.train), test: tensorsOf(digits.test)};
      const records = ARMS.map(
        ({name}): OrderedRecord => ({name, testError: [], trainError: [], kept: [], msPerStep: []}),
      );
      try {
        yield* inTurn(
          ARMS.map(({select}, index) =>
            trainEpochs(records[index] as OrderedRecord, digits, sets, {seed, epochs, make, select: select()}),
          ),
        );
      } finally {
        for (const {xs, ys} of Object.values(sets)) dispose([xs, ys]);
      }
      return records;
    },
    report: (seeds) => orderedReport(seeds, {model, errors}),
  };
}

function tensorsOf(digits: Digits): TensorSet {
  const rows = Array.from({length: digits.count}, (_, row) => row);
  return {xs: imagesOf(digits, rows), ys: labelsOf(digits, rows)};
}

/**
 * Takes a step of each training in turn, and yields how far the first is; what else the machine
 * does meets all of them alike.
 */
async function* inTurn(trainings: AsyncGenerator<number, void>[]): AsyncGenerator<number, void, undefined> {
  try {
    for (;;) {
      let first: IteratorResult<number, void> | undefined;
      for (const training of trainings) {
        const turn = await training.next();
        first ??= turn;
      }
      if (!first || first.done) return;
      yield first.value;
    }
  } finally {
    for (const training of trainings) await training.return();
  }
}

interface Training {
  seed: number;
  epochs: number;
  make: (options: SgdOptions) => Trainee;
  select: ReturnType<Arm['select']>;
}

/**
 * Adds an epoch after the other to a record, and yields the share that is done after every step.
 */
async function* trainEpochs(
  record: OrderedRecord,
  {train: {count}}: TrainAndTest,
  sets: {train: TensorSet; test: TensorSet},
  {seed, epochs, make, select}: Training,
): AsyncGenerator<number, void, undefined> {
  const stream = rowStream(count, seed);
  const trainee = make({seed, select, ...PROTOCOL});
  const {schedule} = select;
  const rate = learningRates();
  let state = schedule?.init();
  let steps = 0;
  let accuracy = 0;
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      trainee.setLearningRate(rate(epoch, accuracy));
      const times: number[] = [];
      for (let start = 0; start < count; start += BATCH_SIZE) {
        const place = (epoch - 1) * count + start;
        const rows = tensor1d(Int32Array.from(stream.rowsAt(place, Math.min(BATCH_SIZE, count - start))), 'int32');
        const before = performance.now();
        trainee.step(sets.train, rows, state);
        times.push(performance.now() - before);
        rows.dispose();
        steps++;
        yield (epoch - 1 + (start + BATCH_SIZE) / count) / epochs;
      }
      accuracy = await trainee.accuracy(sets.train, 'in training');
      record.kept.push(Math.round(BATCH_SIZE * (schedule?.ratio(state, {step: steps}) ?? 1)));
      record.trainError.push(rounded(1 - accuracy));
      record.testError.push(rounded(1 - (await trainee.accuracy(sets.test, 'in use'))));
      record.msPerStep.push(Number(median(times).toPrecision(3)));
      state = schedule?.next(state, {step: steps, accuracy});
    }
  } finally {
    trainee.dispose();
  }
}

/**
 * The learning rate of each epoch, asked for one after the other with the training accuracy before
 * it.
 */
function learningRates(): (epoch: number, accuracy: number) => number {
  let rate: number = PROTOCOL.learningRate;
  let isAccurate = false;
  return (epoch, accuracy) => {
    if (FALLS.includes(epoch)) rate /= 10;
    if (!isAccurate && accuracy >= FALLS_AT_ACCURACY) {
      isAccurate = true;
      rate /= 10;
    }
    return rate;
  };
}

/** To the single digit of 60,000. */
const rounded = (share: number) => Number(share.toFixed(5));
