import type {DataSource} from '../experiment/results';

/**
 * Grey images of 28 × 28 with a digit each: `images` holds `count · 784` bytes, row by row, 0 =
 * background.
 */
export interface Digits {
  count: number;
  images: Uint8Array;
  /** `count` bytes, each 0 … 9. */
  labels: Uint8Array;
}

/** Everything that the experiment trains and tests on, and where it came from. */
export interface DigitData {
  train: Digits;
  test: Digits;
  source: DataSource;
  /** One sentence for people: "MNIST from ./data", "10 digits drawn by this example, not MNIST". */
  description: string;
}

export const IMAGE_SIDE = 28;
export const IMAGE_SIZE = IMAGE_SIDE * IMAGE_SIDE;
export const CLASSES = 10;
