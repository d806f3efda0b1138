import {idxLength} from './idx';

/** Bytes of an IDX file of a million digits, the largest data set that this example accepts. */
export const LARGEST_IDX_FILE = 16 + 1_000_000 * 28 * 28;

/**
 * Says how far a file may be unpacked: to the length in its header, if that is no more than
 * `largest`.
 *
 * @param largest  bytes of the file that is due, or `LARGEST_IDX_FILE` if any digits are taken.
 * @param name  what errors call it.
 * @throws TypeError if the beginning is not that of an IDX file; RangeError if its header announces
 *   more.
 */
export function idxLimit(beginning: Uint8Array, largest: number, name: string): number {
  const length = idxLength(beginning, name);
  if (length <= largest) return length;
  const remedy =
    largest < LARGEST_IDX_FILE
      ? 'Get the file again, or pass --any-digits if it is of a larger data set in this format.'
      : 'Take a smaller data set.';
  throw new RangeError(
    `idxLimit: ${name} must have at most ${largest} bytes when decompressed, got a header that announces ${length}. ${remedy}`,
  );
}
