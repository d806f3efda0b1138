import '@tensorflow/tfjs-backend-cpu';
import {setBackend} from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {drawDigits} from '../../../../examples/mnist/data/drawnDigits';
import {SIDE} from '../../../../studies/kit/scenes/scene';
import {pixelsOf, scenesOf} from '../../../../studies/kit/scenes/sceneSets';

const digits = drawDigits({count: 50, seed: 3});

/** Of more numbers than a call takes. */
const smallest = (numbers: number[]) => numbers.reduce((least, number) => Math.min(least, number));
const largest = (numbers: number[]) => numbers.reduce((most, number) => Math.max(most, number));

it('A stretch of the scenes of a seed is the same wherever it begins', () => {
  const all = scenesOf(digits, 7, 0, 6);
  expect(scenesOf(digits, 7, 2, 3)).toEqual(all.slice(2, 5));
  expect(scenesOf(digits, 8, 2, 3)).not.toEqual(all.slice(2, 5));
  expect(new Set(all.map(({pixels}) => pixels.join())).size).toBe(6);
});

it('pixelsOf has the greys of each scene, with a mean near 0 and a deviation near 1', async () => {
  await setBackend('cpu');
  const scenes = scenesOf(digits, 7, 0, 20);
  const tensor = pixelsOf(scenes);
  expect(tensor.shape).toEqual([20, SIDE, SIDE, 1]);
  const [values, greys] = [[...tensor.dataSync()], scenes.flatMap(({pixels}) => [...pixels])];
  const [least, most] = [smallest(values), largest(values)];
  const [dark, bright] = [smallest(greys), largest(greys)];
  for (const [at, grey] of greys.entries()) {
    if (at % 97 === 0) expect(values[at]).toBeCloseTo(least + ((most - least) * (grey - dark)) / (bright - dark), 4);
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.3);
  expect(Math.sqrt(square - mean ** 2)).toBeGreaterThan(0.7);
  expect(Math.sqrt(square - mean ** 2)).toBeLessThan(1.4);
  tensor.dispose();
});
