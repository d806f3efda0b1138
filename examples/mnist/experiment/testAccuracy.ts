import type {LayersModel} from '@tensorflow/tfjs-layers';
import type {Digits} from '../data/digits';
import {guesses} from './guesses';

/**
 * Rows that are run forward at once: enough to be quick, few enough that 60,000 digits need no more
 * memory than these.
 */
const CHUNK = 1000;

/** Share of digits for which the model's largest output is the right one. */
export async function testAccuracy(model: LayersModel, digits: Digits): Promise<number> {
  let right = 0;
  for (let start = 0; start < digits.count; start += CHUNK) {
    const rows = Array.from({length: Math.min(CHUNK, digits.count - start)}, (_, row) => start + row);
    const guessed = await guesses(model, digits, rows);
    right += rows.filter((row, place) => guessed[place] === digits.labels[row]).length;
  }
  return right / digits.count;
}
