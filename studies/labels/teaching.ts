import {dispose, tensor1d} from '@tensorflow/tfjs-core';
import type {Sequential} from '@tensorflow/tfjs-layers';
import {all, coTeaching, linear, ohemStep, type Selector, type StepReport, scheduled, smallestK} from 'ohem-tfjs';
import {flipLabels} from '../../bench/flippedLabels';
import {CLASSES, type Digits} from '../../examples/mnist/data/digits';
import {imagesOf, rowStream} from '../../examples/mnist/experiment/batches';
import {testAccuracy} from '../../examples/mnist/experiment/testAccuracy';
import type {TrainAndTest} from '../../examples/mnist/experiment/trainRun';
import {digitNetwork, disposeNetwork} from './digitNetwork';

/** The name of the training on the rows that the model itself finds easy. */
export const OWN = 'its own easiest';

/** The results of a training run with many wrong labels, measured after each epoch. */
export interface TeachingRecord {
  name: string;
  measuredAt: number[];
  /** On the test digits, whose labels are right; of two models the mean. */
  testAccuracy: number[];
}

export const TEACHING_PROTOCOL = {hidden: 256, batchSize: 128, flipped: 0.5, rampShare: 0.5} as const;

interface Teaching {
  seed: number;
  epochs: number;
  /** Of the epochs: until then more and more rows are left out. */
  rampShare: number;
}

type Steps = (xs: Parameters<ReturnType<typeof ohemStep>>[0], ys: typeof xs) => StepReport[];

interface Arm {
  name: string;
  models: number;
  step: (models: Sequential[], rampSteps: number) => {take: Steps; dispose: () => void};
}

/** One model, with a rule for the rows that it learns from. */
const alone = (name: string, select: (rampSteps: number) => Selector): Arm => ({
  name,
  models: 1,
  step([model], rampSteps) {
    const step = ohemStep(model as Sequential, {select: select(rampSteps)});
    return {take: (xs, ys) => [step(xs, ys)], dispose: step.dispose};
  },
});

const {flipped: NOISE} = TEACHING_PROTOCOL;

const ARMS: Arm[] = [
  alone('all rows', all),
  alone(OWN, (steps) => scheduled(({ratio}) => smallestK({ratio}), linear({from: 1, to: 1 - NOISE, steps}))),
  {
    name: 'co-teaching',
    models: 2,
    step([a, b], rampSteps) {
      const step = coTeaching([a as Sequential, b as Sequential], {noiseRate: NOISE, rampSteps});
      return {take: step, dispose: step.dispose};
    },
  },
];

/** Trains each way with half of the labels wrong, and yields after each epoch. */
export async function* compareTeaching(
  {train, test}: TrainAndTest,
  {seed, epochs, rampShare}: Teaching,
): AsyncGenerator<number, TeachingRecord[], undefined> {
  const {digits} = flipLabels(train, seed, NOISE);
  const records: TeachingRecord[] = [];
  for (const arm of ARMS) {
    const record: TeachingRecord = {name: arm.name, measuredAt: [], testAccuracy: []};
    for await (const accuracy of taught(arm, digits, test, {seed, epochs, rampShare})) {
      record.testAccuracy.push(accuracy);
      record.measuredAt.push(record.testAccuracy.length);
      yield (records.length + record.testAccuracy.length / epochs) / ARMS.length;
    }
    records.push(record);
  }
  return records;
}

async function* taught(
  arm: Arm,
  digits: Digits,
  test: Digits,
  {seed, epochs, rampShare}: Teaching,
): AsyncGenerator<number> {
  const {hidden} = TEACHING_PROTOCOL;
  const batchSize = Math.min(TEACHING_PROTOCOL.batchSize, digits.count);
  const stepsPerEpoch = Math.floor(digits.count / batchSize);
  const models = Array.from({length: arm.models}, (_, i) =>
    digitNetwork({seed: seed + 1000 * i, hidden, classes: CLASSES}),
  );
  const {take, dispose: end} = arm.step(models, Math.ceil(rampShare * epochs) * stepsPerEpoch);
  const stream = rowStream(digits.count, seed);
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (let i = 0; i < stepsPerEpoch; i++) {
        const rows = stream.rowsAt((epoch * stepsPerEpoch + i) * batchSize, batchSize);
        const labels = Int32Array.from(rows, (row) => digits.labels[row] as number);
        const [xs, ys] = [imagesOf(digits, rows), tensor1d(labels, 'int32')];
        for (const report of take(xs, ys)) report.dispose();
        dispose([xs, ys]);
      }
      const accuracies = [];
      for (const model of models) accuracies.push(await testAccuracy(model, test));
      yield accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length;
    }
  } finally {
    end();
    for (const model of models) disposeNetwork(model);
  }
}
