import {dispose, train} from '@tensorflow/tfjs-core';
import {initializers, type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {categoricalCrossentropy, ohemStep, type Selector, type StepReport} from 'ohem-tfjs';
import {CLASSES, type Digits, IMAGE_SIZE} from '../examples/mnist/data/digits';
import {imagesOf, labelsOf, rowStream} from '../examples/mnist/experiment/batches';

export const BATCH_SIZE = 100;

export interface TrainDigitsOptions {
  /** Of the first weights and of the order of the rows. */
  seed: number;
  epochs: number;
  select: Selector;
  /** Told of every step, with the rows of its batch; the report is disposed when it is done. */
  onStep?: (rows: Uint32Array, report: StepReport) => Promise<void>;
}

/**
 * Trains a small network, 784-128-10 by Adam at 0.001 on batches of 100, and yields it after each
 * epoch.
 */
export async function* trainDigits(
  digits: Digits,
  {seed, epochs, select, onStep}: TrainDigitsOptions,
): AsyncGenerator<LayersModel> {
  const model = smallModel(seed);
  const optimizer = train.adam(0.001);
  const step = ohemStep(model, {loss: categoricalCrossentropy(), select, optimizer});
  const stream = rowStream(digits.count, seed);
  try {
    for (let taken = 0; taken < (epochs * digits.count) / BATCH_SIZE; taken++) {
      const rows = stream.rowsAt(taken * BATCH_SIZE, BATCH_SIZE);
      const [xs, ys] = [imagesOf(digits, rows), labelsOf(digits, rows)];
      const report = step(xs, ys);
      await onStep?.(rows, report);
      report.dispose();
      dispose([xs, ys]);
      if (((taken + 1) * BATCH_SIZE) % digits.count === 0) yield model;
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
