import {type MiningLedger, miningLedger, topK} from 'ohem-tfjs';
import {CLASSES, type Digits} from '../examples/mnist/data/digits';
import {seededRandom, shuffledIndices} from '../examples/mnist/experiment/random';
import {trainDigits} from './trainDigits';

export const ROWS = 10_000;
export const FLIPPED_SHARE = 0.02;

/** Digits, some of whose labels are wrong. */
export interface FlippedDigits {
  digits: Digits;
  /** The rows with a wrong label. */
  flipped: Set<number>;
}

/**
 * Takes the first digits of a set and gives a share of them, drawn at random, another label, each
 * of the others as likely.
 */
export function flipLabels({count, images, labels}: Digits, seed: number, share = FLIPPED_SHARE): FlippedDigits {
  const random = seededRandom(seed);
  const rows = Math.min(ROWS, count);
  const flipped = new Set(shuffledIndices(rows, random).subarray(0, rows * share));
  // Not slice(): labels read from a file are a Buffer, whose slice would be the file's own bytes.
  const wrong = Uint8Array.from(labels.subarray(0, rows));
  for (const row of flipped) wrong[row] = ((wrong[row] as number) + 1 + Math.floor(random() * (CLASSES - 1))) % CLASSES;
  return {digits: {count: rows, images, labels: wrong}, flipped};
}

/**
 * Trains a small network on the hardest half of each batch, and yields after each epoch the ledger
 * that has watched.
 */
export async function* watchTraining(
  digits: Digits,
  {seed, epochs}: {seed: number; epochs: number},
): AsyncGenerator<MiningLedger> {
  const ledger = miningLedger(digits.count);
  const training = trainDigits(digits, {
    seed,
    epochs,
    select: topK({ratio: 0.5}),
    onStep: (rows, report) => ledger.observe(rows, report),
  });
  for await (const _ of training) yield ledger;
}

/** Share of some rows that have a wrong label. */
export function shareFlipped(rows: ArrayLike<number>, flipped: Set<number>): number {
  return Array.from(rows).filter((row) => flipped.has(row)).length / rows.length;
}
