import type {DigitData} from '../../examples/mnist/data/digits';
import {type LoadDigitsOptions, loadDigits} from '../../examples/mnist/data/load';
import {FailedError, messageOf} from '../../examples/mnist/node/errors';

/**
 * Gets MNIST, and nothing in its place: no figure that is published stands on digits that a program
 * drew.
 *
 * @throws FailedError where it cannot be had, or a file of a folder that was named is not MNIST's.
 */
export async function realDigits(options: LoadDigitsOptions): Promise<DigitData> {
  const digits = await loadDigits({...options, drawnCounts: {train: 1, test: 1}}).catch((error) => {
    throw new FailedError(`study: --data must name the folder of MNIST's four files. ${messageOf(error)}`, {
      cause: error,
    });
  });
  if (digits.source === 'drawn') {
    throw new FailedError(
      'study: the digits must be those of MNIST, got none: they are not in the cache, and cannot be downloaded. ' +
        'Give the folder of the four files with --data.',
    );
  }
  return digits;
}
