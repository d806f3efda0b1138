import {type Digits, IMAGE_SIZE} from '../../examples/mnist/data/digits';

/** The share of the training digits that rates are judged by; 5,000 of MNIST's 60,000. */
const VALIDATED = 1 / 12;

/** Splits training digits into those that are trained on, and the last of them for validation. */
export function splitDigits({count, images, labels}: Digits): {fitted: Digits; validation: Digits} {
  const place = count - Math.ceil(count * VALIDATED);
  return {
    fitted: {count: place, images, labels},
    validation: {count: count - place, images: images.subarray(place * IMAGE_SIZE), labels: labels.subarray(place)},
  };
}
