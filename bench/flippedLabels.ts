import {dispose, train} from '@tensorflow/tfjs-core';
import {initializers, type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {categoricalCrossentropy, type MiningLedger, miningLedger, ohemStep, topK} from 'ohem-tfjs';
import {CLASSES, type Digits, IMAGE_SIZE} from '../examples/mnist/data/digits';
import {imagesOf, labelsOf, rowStream} from '../examples/mnist/experiment/batches';
import {seededRandom, shuffledIndices} from '../examples/mnist/experiment/random';

export const ROWS = 10_000;
export const FLIPPED_SHARE = 0.02;
const BATCH_SIZE = 100;

/** Digits, some of whose labels are wrong. */
export interface FlippedDigits {
  digits: Digits;
  /** The rows with a wrong label. */
  flipped: Set<number>;
}

/** Takes the first digits of a set and gives a share of them, drawn at random, another label, each of the others as likely. */
export function flipLabels({images, labels}: Digits, seed: number): FlippedDigits {
  const random = seededRandom(seed);
  const flipped = new Set(shuffledIndices(ROWS, random).subarray(0, ROWS * FLIPPED_SHARE));
  // Not slice(): labels read from a file are a Buffer, whose slice would be the file's own bytes.
  const wrong = Uint8Array.from(labels.subarray(0, ROWS));
  for (const row of flipped) wrong[row] = ((wrong[row] as number) + 1 + Math.floor(random() * (CLASSES - 1))) % CLASSES;
  return {digits: {count: ROWS, images, labels: wrong}, flipped};
}

/** Trains a small network on the hardest half of each batch, and yields after each epoch the ledger that has watched. */
export async function* watchTraining(
  digits: Digits,
  {seed, epochs}: {seed: number; epochs: number},
): AsyncGenerator<MiningLedger> {
  const model = smallModel(seed);
  const optimizer = train.adam(0.001);
  const step = ohemStep(model, {loss: categoricalCrossentropy(), select: topK({ratio: 0.5}), optimizer});
  const stream = rowStream(digits.count, seed);
  const ledger = miningLedger(digits.count);
  try {
    for (let taken = 0; taken < (epochs * digits.count) / BATCH_SIZE; taken++) {
      const rows = stream.rowsAt(taken * BATCH_SIZE, BATCH_SIZE);
      const [xs, ys] = [imagesOf(digits, rows), labelsOf(digits, rows)];
      const report = step(xs, ys);
      await ledger.observe(rows, report);
      report.dispose();
      dispose([xs, ys]);
      if (((taken + 1) * BATCH_SIZE) % digits.count === 0) yield ledger;
    }
  } finally {
    step.dispose();
    optimizer.dispose();
    model.dispose();
  }
}

function smallModel(seed: number): LayersModel {
  const [first, second] = [2 * seed + 1, 2 * seed + 2];
  return sequential({
    layers: [
      layers.dense({
        inputShape: [IMAGE_SIZE],
        units: 128,
        activation: 'relu',
        kernelInitializer: initializers.heNormal({seed: first}),
      }),
      layers.dense({
        units: CLASSES,
        activation: 'softmax',
        kernelInitializer: initializers.glorotNormal({seed: second}),
      }),
    ],
  });
}

/** Share of some rows that have a wrong label. */
export function shareFlipped(rows: ArrayLike<number>, flipped: Set<number>): number {
  return Array.from(rows).filter((row) => flipped.has(row)).length / rows.length;
}
