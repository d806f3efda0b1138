import {dispose, tensor1d} from '@tensorflow/tfjs-core';
import {accuracySteps, all, type KeepSchedule, type Selector, scheduled, topK} from 'ohem-tfjs';
import {CLASSES, type Digits, IMAGE_SIZE} from '../examples/mnist/data/digits';
import {imagesOf, labelsOf, rowStream} from '../examples/mnist/experiment/batches';
import type {TrainAndTest} from '../examples/mnist/experiment/trainRun';
import {logisticRegression, type TensorSet} from './logisticRegression';
import {orderedSgdReport} from './orderedSgdReport';
import type {Study} from './study';

const BATCH_SIZE = 64;
const PROTOCOL = {learningRate: 0.01, momentum: 0.9, weightDecay: 1e-4} as const;
/** Epochs after which the learning rate is a tenth. */
const FIRST_EPOCHS = 10;

/** What a training came to after each of its epochs. */
export interface OrderedRecord {
  name: string;
  /** Shares of the 10,000 test digits and the 60,000 training digits that are classified wrongly. */
  testError: number[];
  trainError: number[];
  /** Rows of 64 that the steps of the epoch kept. */
  kept: number[];
}

const ARMS: {name: string; select: () => Selector}[] = [
  {name: 'SGD', select: all},
  // A count and not a ratio: of the last batch, which is smaller, the authors' code keeps as many rows as of the others.
  {name: 'Ordered SGD', select: () => scheduled(({ratio}) => topK({k: BATCH_SIZE * ratio}), accuracySteps())},
];

/** Logistic regression on MNIST by SGD and by Ordered SGD, as Kawaguchi & Lu (AISTATS 2020, §5, Table 1) trained it. */
export const orderedSgd: Study<OrderedRecord[]> = {
  name: 'ordered-sgd',
  about: 'logistic regression by SGD and by Ordered SGD, as Kawaguchi & Lu 2020 trained it',
  seeds: 10,
  steps: 50,
  settings: (steps) => ({steps, batchSize: BATCH_SIZE, ...PROTOCOL, firstEpochs: FIRST_EPOCHS}),
  async *train(seed, digits, {steps: epochs}) {
    const sets = {train: tensorsOf(digits.train), test: tensorsOf(digits.test)};
    const records: OrderedRecord[] = [];
    try {
      for (const {name, select} of ARMS) {
        const record: OrderedRecord = {name, testError: [], trainError: [], kept: []};
        for await (const done of trainEpochs(record, digits, sets, {seed, epochs, select: select()})) {
          yield (records.length + done) / ARMS.length;
        }
        records.push(record);
      }
    } finally {
      for (const {xs, ys} of Object.values(sets)) dispose([xs, ys]);
    }
    return records;
  },
  report: orderedSgdReport,
};

function tensorsOf(digits: Digits): TensorSet {
  const rows = Array.from({length: digits.count}, (_, row) => row);
  return {xs: imagesOf(digits, rows), ys: labelsOf(digits, rows)};
}

interface Training {
  seed: number;
  epochs: number;
  select: Selector & {schedule?: KeepSchedule<unknown>};
}

/** Adds an epoch after the other to a record, and yields the share that is done after every step. */
async function* trainEpochs(
  record: OrderedRecord,
  {train: {count}}: TrainAndTest,
  sets: {train: TensorSet; test: TensorSet},
  {seed, epochs, select}: Training,
): AsyncGenerator<number, void, undefined> {
  const stream = rowStream(count, seed);
  const model = logisticRegression([IMAGE_SIZE, CLASSES], {seed, ...PROTOCOL});
  const {schedule} = select;
  let state = schedule?.init();
  let steps = 0;
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      if (epoch === FIRST_EPOCHS) model.setLearningRate(PROTOCOL.learningRate / 10);
      for (let start = 0; start < count; start += BATCH_SIZE) {
        const rows = tensor1d(
          Int32Array.from(stream.rowsAt(epoch * count + start, Math.min(BATCH_SIZE, count - start))),
          'int32',
        );
        model.step(sets.train, rows, select, state);
        rows.dispose();
        steps++;
        yield (epoch + (start + BATCH_SIZE) / count) / epochs;
      }
      const accuracy = await model.accuracy(sets.train);
      record.kept.push(Math.round(BATCH_SIZE * (schedule?.ratio(state, {step: steps}) ?? 1)));
      record.trainError.push(rounded(1 - accuracy));
      record.testError.push(rounded(1 - (await model.accuracy(sets.test))));
      state = schedule?.next(state, {step: steps, accuracy});
    }
  } finally {
    model.dispose();
  }
}

/** To the single digit of 60,000. */
const rounded = (share: number) => Number(share.toFixed(5));
