import {
  add,
  mean,
  mul,
  randomNormal,
  square,
  sub,
  type Tensor,
  type Tensor2D,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import {meanSquaredError} from 'ohem-tfjs';
import {type Digits, IMAGE_SIZE} from '../../examples/mnist/data/digits';
import {imagesOf} from '../../examples/mnist/experiment/batches';
import {seededRandom, shuffledIndices} from '../../examples/mnist/experiment/random';
import type {TrainAndTest} from '../../examples/mnist/experiment/trainRun';
import {batchesOf} from './batches';
import {denseNetwork} from './network';
import {rowRules} from './rules';
import type {Task} from './task';

export const AUTOENCODER = {
  ...{rows: 10_000, units: [64, 32, 64], batchSize: 100, learningRate: 0.003, measureEvery: 100},
  /** Standard deviation of the noise of a pixel; black is 0 and white is 1. */
  noise: 0.3,
};

/** Digits, a share of which has noise. */
interface NoisyDigits {
  /** Without the noise. */
  clean: Tensor2D;
  noisy: Tensor2D;
  hasNoise: Uint8Array;
}

/** An autoencoder of digits, some of which have noise, in input and target alike. */
export function noisyDigits(seed: number, digits: TrainAndTest, share: number): Task {
  const {rows, units, batchSize, learningRate, measureEvery} = AUTOENCODER;
  const {clean, noisy} = digitsWithNoise(digits.train, Math.min(rows, digits.train.count), share, 2 * seed);
  clean.dispose();
  const test = digitsWithNoise(digits.test, digits.test.count, share, 2 * seed + 1);
  const isEasy = easyHalf(digits.test, test.hasNoise);
  return {
    ...{name: nameOf(share), rules: rowRules(seed), loss: meanSquaredError(), learningRate, measureEvery},
    model: () => denseNetwork([IMAGE_SIZE, ...units, IMAGE_SIZE], 'sigmoid', seed),
    batchOf: batchesOf({xs: noisy, ys: noisy}, batchSize, seed),
    measurer: () => (model) => {
      const errors = tidy(() => {
        const found = model.predict(test.noisy, {batchSize: 1000}) as Tensor;
        return mean(square(sub(found, test.clean)), 1).dataSync();
      });
      return {error: meanOf(errors), easyError: meanOf(errors.filter((_, row) => isEasy[row] === 1))};
    },
    dispose() {
      noisy.dispose();
      test.clean.dispose();
      test.noisy.dispose();
    },
  };
}

const nameOf = (share: number) => (share === 0 ? 'autoencoder' : `autoencoder, ${100 * share} % noisy rows`);

function digitsWithNoise(digits: Digits, count: number, share: number, seed: number): NoisyDigits {
  const hasNoise = new Uint8Array(count);
  const drawn = shuffledIndices(count, seededRandom(seed)).subarray(0, Math.round(count * share));
  for (const row of drawn) hasNoise[row] = 1;
  const clean = imagesOf(
    digits,
    Uint32Array.from(hasNoise, (_, row) => row),
  );
  const noisy = tidy(() => {
    const noise = randomNormal(clean.shape, 0, AUTOENCODER.noise, 'float32', seed);
    return add(clean, mul(noise, tensor2d(hasNoise, [count, 1]))) as Tensor2D;
  });
  return {clean, noisy, hasNoise};
}

/** Marks the half of the rows without noise that has the least ink. */
function easyHalf({images}: Digits, hasNoise: Uint8Array): Uint8Array {
  const inks = Array.from(hasNoise, (_, row) =>
    images.subarray(row * IMAGE_SIZE, (row + 1) * IMAGE_SIZE).reduce((sum, pixel) => sum + pixel * pixel, 0),
  );
  const sorted = inks.filter((_, row) => hasNoise[row] === 0).sort((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)] as number;
  return Uint8Array.from(inks, (ink, row) => (hasNoise[row] === 0 && ink < median ? 1 : 0));
}

const meanOf = (numbers: ArrayLike<number>) => Array.from(numbers).reduce((sum, x) => sum + x, 0) / numbers.length;
