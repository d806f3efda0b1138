import {createHash} from 'node:crypto';
import type {DigitData} from '../data/digits';
import {drawnDigits} from '../data/drawnData';
import {loadDigits} from '../data/load';
import {FailedError, messageOf} from './errors';

/** Which digits are wanted; MNIST from the cache or the network if nothing is said. */
export interface DigitRequest {
  /** A folder with the four files. */
  folder?: string;
  anyDigits?: boolean;
  /** The number of digits to draw, instead of looking for others. */
  drawn?: {train: number; test: number};
}

/**
 * Gets the digits.
 *
 * @throws FailedError that says which file is missing or wrong.
 */
export async function findDigits(
  {drawn, folder, anyDigits}: DigitRequest,
  onMessage: (message: string) => void,
): Promise<DigitData> {
  if (drawn) return drawnDigits(drawn, 'as --digits asks for');
  try {
    return await loadDigits({folder, anyDigits, onMessage});
  } catch (error) {
    throw new FailedError(messageOf(error), {cause: error});
  }
}

/**
 * SHA-256 of all images and labels: tells whether an experiment resumes with the digits that it
 * began with.
 */
export function fingerprint({train, test}: Pick<DigitData, 'train' | 'test'>): string {
  const hash = createHash('sha256');
  for (const {images, labels} of [train, test]) hash.update(images).update(labels);
  return hash.digest('hex');
}
