import {dispose, type Tensor1D, type Tensor2D, tensor1d} from '@tensorflow/tfjs-core';
import {
  all,
  crossValidated,
  fitOhem,
  labelIssues,
  type MiningLedger,
  miningLedger,
  type Selector,
  subset,
  thresholdSamples,
  topK,
} from 'ohem-tfjs';
import {type FlippedDigits, flipLabels} from '../../bench/flippedLabels';
import {CLASSES, type Digits} from '../../examples/mnist/data/digits';
import {imagesOf} from '../../examples/mnist/experiment/batches';
import {testAccuracy} from '../../examples/mnist/experiment/testAccuracy';
import type {TrainAndTest} from '../../examples/mnist/experiment/trainRun';
import {digitNetwork, disposeNetwork} from './digitNetwork';

/** The results of a way to find wrong labels. */
export interface FinderRecord {
  finder: string;
  /** The share of labels that are wrong, and how many. */
  flipped: number;
  wrong: number;
  /** How many rows it named, and how many of these have a wrong label. */
  named: number;
  found: number;
  /** Of the training runs that it needs, and of itself. */
  seconds: number;
  /** After training without the rows that it named, on the test digits. */
  testAccuracy: number;
}

/** Where some rows lie on a data map. */
export interface DataMap {
  confidence: number[];
  variability: number[];
  isWrong: boolean[];
}

export const FINDER_PROTOCOL = {hidden: 128, batchSize: 100, folds: 5, percentile: 99} as const;
export const SHARES = [0.02, 0.1];
const MAPPED_ROWS = 1000;

/** Some digits as tensors, with a number of labels that are wrong. */
interface Task extends FlippedDigits {
  x: Tensor2D;
  test: Digits;
  seed: number;
  epochs: number;
}

/** Compares the finders for each share of wrong labels, and yields after each of them. */
export async function* compareFinders(
  {train, test}: TrainAndTest,
  {seed, epochs, shares}: {seed: number; epochs: number; shares: readonly number[]},
): AsyncGenerator<number, {finders: FinderRecord[]; map: DataMap}, undefined> {
  const finders: FinderRecord[] = [];
  let map: DataMap | undefined;
  let done = 0;
  for (const flipped of shares) {
    const given = flipLabels(train, seed, flipped);
    const x = imagesOf(given.digits, rowsOf(given.digits.count));
    try {
      const task = {...given, x, test, seed, epochs};
      const {suspects, watched} = await suspectsOf(task);
      map = mapOf(watched, task);
      for (const {finder, rows, seconds} of suspects) {
        const found = rows.filter((row) => given.flipped.has(row)).length;
        const accuracy = await accuracyWithout(task, rows);
        const counts = {wrong: given.flipped.size, named: rows.length, found};
        finders.push({finder, flipped, ...counts, seconds, testAccuracy: accuracy});
        yield ++done / (shares.length * suspects.length);
      }
    } finally {
      x.dispose();
    }
  }
  return {finders, map: map as DataMap};
}

interface Suspects {
  finder: string;
  rows: number[];
  seconds: number;
}

/** The rows that each finder names; those that only rank name as many as are wrong. */
async function suspectsOf(task: Task): Promise<{suspects: Suspects[]; watched: MiningLedger}> {
  const count = task.flipped.size;
  const share = count / task.digits.count;
  const [mined, watched] = [await watch(task, topK({ratio: 0.5})), await watch(task, all())];
  const ranked = (scores: Float32Array) => [...subset(scores, {keep: share})];
  const negated = (scores: Float32Array) => scores.map((score) => -score);
  const ofRun = (finder: string, rows: Iterable<number>, {seconds}: {seconds: number}) => ({
    ...{finder, rows: [...rows], seconds},
  });
  const {ledger} = watched;
  return {
    watched: ledger,
    suspects: [
      {finder: 'none left out', rows: [], seconds: 0},
      {finder: 'all wrong labels', rows: [...task.flipped], seconds: 0},
      ofRun('suspects', mined.ledger.suspects(count), mined),
      ofRun('smallest aum', ranked(negated(ledger.aum())), watched),
      ofRun('forgetting', ranked(ledger.forgetting()), watched),
      await byThreshold(task),
      await byConfidentLearning(task),
    ],
  };
}

/** Trains with a ledger that watches. */
async function watch(task: Task, select: Selector, labels: ArrayLike<number> = task.digits.labels, classes = CLASSES) {
  const {x, seed, epochs} = task;
  const model = digitNetwork({seed, hidden: FINDER_PROTOCOL.hidden, classes});
  const y = labelTensor(labels);
  const ledger = miningLedger(labels.length, {dynamics: true});
  const start = performance.now();
  try {
    const {batchSize} = FINDER_PROTOCOL;
    await fitOhem(model, x, y, {select, epochs, batchSize, seed, ledger, verbose: 0});
    return {ledger, seconds: (performance.now() - start) / 1000};
  } finally {
    y.dispose();
    disposeNetwork(model);
  }
}

/**
 * Twice, each time with other rows of an extra class: those of one time are judged by the other.
 */
async function byThreshold(task: Task): Promise<Suspects> {
  const named = new Set<number>();
  let seconds = 0;
  for (const set of [0, 1] as const) {
    const {labels, rows, extraClass} = thresholdSamples(task.digits.labels, {set, seed: task.seed});
    const run = await watch(task, all(), labels, extraClass + 1);
    const {percentile} = FINDER_PROTOCOL;
    for (const row of run.ledger.suspectsByMargin({thresholdRows: rows, percentile})) named.add(row);
    seconds += run.seconds;
  }
  return {finder: 'suspectsByMargin', rows: [...named], seconds};
}

async function byConfidentLearning({x, digits: {labels}, seed, epochs}: Task): Promise<Suspects> {
  const {hidden, batchSize, folds} = FINDER_PROTOCOL;
  const y = labelTensor(labels);
  const start = performance.now();
  const makeModel = (fold: number) => digitNetwork({seed: 100 * seed + fold, hidden, classes: CLASSES});
  const fit = {select: all(), epochs, batchSize};
  const probabilities = await crossValidated(makeModel, x, y, {folds, seed, fit});
  const {rows} = await labelIssues({labels, probabilities});
  dispose([y, probabilities]);
  return {finder: 'labelIssues', rows: [...rows], seconds: (performance.now() - start) / 1000};
}

/** Trains on all other rows, and tests. */
async function accuracyWithout({digits, test, seed, epochs}: Task, rows: number[]): Promise<number> {
  const isLeftOut = new Set(rows);
  const kept = rowsOf(digits.count).filter((row) => !isLeftOut.has(row));
  const [x, y] = [imagesOf(digits, kept), labelTensor(kept.map((row) => digits.labels[row] as number))];
  const {hidden, batchSize} = FINDER_PROTOCOL;
  const model = digitNetwork({seed, hidden, classes: CLASSES});
  try {
    await fitOhem(model, x, y, {select: all(), epochs, batchSize, seed, verbose: 0});
    return await testAccuracy(model, test);
  } finally {
    dispose([x, y]);
    disposeNetwork(model);
  }
}

function mapOf(ledger: MiningLedger, {flipped}: Task): DataMap {
  const {confidence, variability} = ledger.cartography();
  const rows = rowsOf(Math.min(MAPPED_ROWS, ledger.size));
  const rounded = (values: Float32Array) => rows.map((row) => Number((values[row] as number).toFixed(3)));
  return {
    ...{confidence: rounded(confidence), variability: rounded(variability)},
    isWrong: rows.map((row) => flipped.has(row)),
  };
}

const rowsOf = (count: number) => Array.from({length: count}, (_, row) => row);
const labelTensor = (labels: ArrayLike<number>): Tensor1D => tensor1d(Int32Array.from(labels), 'int32');
