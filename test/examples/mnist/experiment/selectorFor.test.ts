import '@tensorflow/tfjs-backend-cpu';
import {setBackend, tensor1d, tidy} from '@tensorflow/tfjs-core';
import {beforeAll, describe, expect, it} from 'vitest';
import {parseRuns} from '../../../../examples/mnist/experiment/runs';
import {selectorFor} from '../../../../examples/mnist/experiment/selectorFor';

describe('selectorFor', () => {
  beforeAll(() => setBackend('cpu'));
  const rowsOf = (text: string, seed: number, step: number) =>
    tidy(() => {
      const losses = tensor1d(Array.from({length: 40}, (_, row) => row / 40));
      const [run] = parseRuns(text);
      return run && [...selectorFor(run, seed)(losses, {step}).indices.dataSync()];
    });

  it('keeps the k hardest', () => {
    expect(rowsOf('40/3', 1, 0)).toEqual([39, 38, 37]);
  });

  it('draws k at random by seed and step', () => {
    expect(rowsOf('40/20-random', 1, 0)).toHaveLength(20);
    expect(rowsOf('40/20-random', 1, 0)).toEqual(rowsOf('40/20-random', 1, 0));
    expect(rowsOf('40/20-random', 1, 0)).not.toEqual(rowsOf('40/20-random', 1, 1));
    expect(rowsOf('40/20-random', 1, 0)).not.toEqual(rowsOf('40/20-random', 2, 0));
  });
});
