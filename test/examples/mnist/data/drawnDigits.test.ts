import {describe, expect, it} from 'vitest';
import {CLASSES, type Digits, IMAGE_SIZE} from '../../../../examples/mnist/data/digits';
import {drawDigits} from '../../../../examples/mnist/data/drawnDigits';
import {sha256Of} from './idxFixtures';

describe('drawDigits', () => {
  it('draws the same digits for the same seed, others for another', () => {
    expect(drawDigits({count: 30, seed: 4})).toEqual(drawDigits({count: 30, seed: 4}));
    expect(drawDigits({count: 30, seed: 4}).images).not.toEqual(drawDigits({count: 30, seed: 5}).images);
  });

  it('draws what it drew when this test was written', () => {
    const {images, labels} = drawDigits({count: 100, seed: 1});
    expect(Array.from(labels.subarray(0, 10))).toEqual([9, 0, 7, 5, 1, 6, 2, 8, 3, 4]);
    expect(sha256Of(images)).toBe('d765579a57f244c9aee08512d85d94bf4fb400f6761ffc914378566db9cabb80');
  });

  it('begins alike however many are drawn', () => {
    const few = drawDigits({count: 13, seed: 2});
    const many = drawDigits({count: 40, seed: 2});
    expect(many.images.subarray(0, few.images.length)).toEqual(few.images);
    expect(many.labels.subarray(0, 13)).toEqual(few.labels);
  });

  it('draws every class once in each ten, in changing order', () => {
    const {labels} = drawDigits({count: 100, seed: 3});
    const tens = Array.from({length: 10}, (_, ten) => Array.from(labels.subarray(10 * ten, 10 * ten + 10)));
    for (const ten of tens) expect(ten.slice().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new Set(tens.map(String)).size).toBe(10);
  });

  it('draws no digit twice, and none without ink', () => {
    const {count, images} = drawDigits({count: 500, seed: 6});
    const each = Array.from({length: count}, (_, i) => images.subarray(i * IMAGE_SIZE, (i + 1) * IMAGE_SIZE));
    expect(new Set(each.map(sha256Of)).size).toBe(count);
    for (const image of each) expect(Math.max(...image)).toBeGreaterThan(40);
  });

  it('has about the ink of MNIST, whose mean grey is 33', () => {
    const {images} = drawDigits({count: 500, seed: 6});
    const mean = images.reduce((sum, grey) => sum + grey, 0) / images.length;
    expect(mean).toBeGreaterThan(24);
    expect(mean).toBeLessThan(40);
  });

  it('can be learned by a linear model, but for a tail', () => {
    const model = softmaxRegression(drawDigits({count: 3000, seed: 8}), 3);
    const accuracy = accuracyOf(model, drawDigits({count: 1000, seed: 9}));
    expect(accuracy).toBeGreaterThan(0.75);
    expect(accuracy).toBeLessThan(0.95);
  });

  it('draws none when asked for none', () => {
    expect(drawDigits({count: 0, seed: 1})).toEqual({count: 0, images: new Uint8Array(), labels: new Uint8Array()});
  });

  it.each([-1, 2.5, Number.NaN])('rejects a count of %s', (count) => {
    expect(() => drawDigits({count, seed: 1})).toThrow(
      new RangeError(`drawDigits: count must be an integer >= 0, got ${count}.`),
    );
  });

  it('rejects a seed that its generator does not take', () => {
    expect(() => drawDigits({count: 1, seed: -1})).toThrow(
      new RangeError('seededRandom: seed must be an integer from 0 to 2^53 - 1, got -1.'),
    );
  });
});

/** Weights `[class][pixel]` after some epochs of SGD on one digit at a time, from 0. */
function softmaxRegression({count, images, labels}: Digits, epochs: number): Float64Array[] {
  const weights = Array.from({length: CLASSES}, () => new Float64Array(IMAGE_SIZE));
  for (let step = 0; step < epochs * count; step++) {
    const image = images.subarray((step % count) * IMAGE_SIZE, ((step % count) + 1) * IMAGE_SIZE);
    const odds = scores(weights, image).map(Math.exp);
    const total = odds.reduce((sum, value) => sum + value, 0);
    weights.forEach((row, digit) => {
      const rate = (0.01 / 255) * ((labels[step % count] === digit ? 1 : 0) - (odds[digit] as number) / total);
      for (let pixel = 0; pixel < image.length; pixel++) {
        row[pixel] = (row[pixel] as number) + rate * (image[pixel] as number);
      }
    });
  }
  return weights;
}

function accuracyOf(weights: Float64Array[], {count, images, labels}: Digits): number {
  let right = 0;
  for (let index = 0; index < count; index++) {
    const score = scores(weights, images.subarray(index * IMAGE_SIZE, (index + 1) * IMAGE_SIZE));
    if (score.indexOf(Math.max(...score)) === labels[index]) right++;
  }
  return right / count;
}

function scores(weights: Float64Array[], image: Uint8Array): number[] {
  return weights.map((row) => {
    let sum = 0;
    for (let pixel = 0; pixel < image.length; pixel++) sum += (row[pixel] as number) * (image[pixel] as number);
    return sum / 255;
  });
}
