import '@tensorflow/tfjs-backend-cpu';
import {expect, it} from 'vitest';
import {drawDigits} from '../../../examples/mnist/data/drawnDigits';
import {imagesOf} from '../../../examples/mnist/experiment/batches';
import {splitDigits} from '../../../studies/tuned/splitDigits';

it('splitDigits takes the last twelfth for validation, and none of it for training', async () => {
  const digits = drawDigits({count: 60, seed: 3});
  const {fitted, validation} = splitDigits(digits);
  expect([fitted.count, validation.count]).toEqual([55, 5]);
  const rows = [0, 1, 2, 3, 4];
  const [held, expected] = [imagesOf(validation, rows), imagesOf(digits, [55, 56, 57, 58, 59])];
  expect(await held.data()).toEqual(await expected.data());
  expect([...validation.labels.subarray(0, 5)]).toEqual([...digits.labels.subarray(55, 60)]);
});
