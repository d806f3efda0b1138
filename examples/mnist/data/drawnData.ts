import type {DigitData} from './digits';
import {drawDigits} from './drawnDigits';

/**
 * Draws digits to train and to test on.
 *
 * @param why  there are no others, for the description.
 */
export function drawnDigits(counts: {train: number; test: number}, why: string, seed = 1): DigitData {
  return {
    train: drawDigits({count: counts.train, seed: 2 * seed}),
    test: drawDigits({count: counts.test, seed: 2 * seed + 1}),
    source: 'drawn',
    description: `digits drawn by this example, NOT MNIST: ${why}`,
  };
}
