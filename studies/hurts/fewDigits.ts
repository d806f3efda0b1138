import {dispose, type Tensor, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {categoricalCrossentropy} from 'ohem-tfjs';
import {CLASSES, type Digits, IMAGE_SIZE} from '../../examples/mnist/data/digits';
import {imagesOf, labelsOf} from '../../examples/mnist/experiment/batches';
import {seededRandom, shuffledIndices} from '../../examples/mnist/experiment/random';
import type {TrainAndTest} from '../../examples/mnist/experiment/trainRun';
import {type Batch, batchesOf} from './batches';
import {classScores} from './classScores';
import {denseNetwork} from './network';
import {rowRules} from './rules';
import type {Task} from './task';

export const FEW_DIGITS = {
  rows: 250,
  validationRows: 250,
  units: [128],
  batchSize: 25,
  learningRate: 0.003,
  measureEvery: 50,
};

/** A classifier of digits that has few of them, and is trained until it knows them by heart. */
export function fewDigits(seed: number, {train, test}: TrainAndTest): Task {
  const {rows, validationRows, units, batchSize, learningRate, measureEvery} = FEW_DIGITS;
  const order = shuffledIndices(train.count, seededRandom(seed));
  const half = Math.floor(train.count / 2);
  const [held, fitted] = [Math.min(validationRows, half), Math.min(rows, half)];
  const training = labelled(train, order.subarray(0, fitted));
  const validation = labelled(train, order.subarray(fitted, fitted + held));
  const tested = labelled(
    test,
    Uint32Array.from({length: test.count}, (_, row) => row),
  );
  return {
    ...{name: 'few rows', rules: rowRules(seed), loss: categoricalCrossentropy(), learningRate, measureEvery},
    model: () => denseNetwork([IMAGE_SIZE, ...units, CLASSES], 'softmax', seed),
    batchOf: batchesOf(training, batchSize, seed),
    measurer() {
      let best = {loss: Number.POSITIVE_INFINITY, testError: Number.NaN};
      return (model) => {
        const [fit, held, found] = [scoresOf(model, training), scoresOf(model, validation), scoresOf(model, tested)];
        if (held.loss < best.loss) best = {loss: held.loss, testError: found.error};
        return {
          ...{trainError: fit.error, validationLoss: held.loss, bestError: best.testError},
          ...{error: found.error, loss: found.loss},
        };
      };
    },
    dispose() {
      for (const {xs, ys} of [training, validation, tested]) dispose([xs, ys]);
    },
  };
}

const labelled = (digits: Digits, rows: Uint32Array) => ({xs: imagesOf(digits, rows), ys: labelsOf(digits, rows)});

const scoresOf = (model: LayersModel, {xs, ys}: Batch) =>
  tidy(() => classScores(model.predict(xs, {batchSize: 1000}) as Tensor, ys));
