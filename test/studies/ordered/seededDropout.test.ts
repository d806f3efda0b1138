import '@tensorflow/tfjs-backend-cpu';
import {ones, setBackend, type Tensor} from '@tensorflow/tfjs-core';
import {beforeAll, describe, expect, it} from 'vitest';
import {SeededDropout} from '../../../studies/ordered/seededDropout';

beforeAll(() => setBackend('cpu'));

function masks(seed: number, calls: number, training = true): number[][] {
  const layer = new SeededDropout(0.5, seed);
  const input = ones([1000]);
  return Array.from({length: calls}, () => [...(layer.apply(input, {training}) as Tensor).dataSync()]);
}

describe('SeededDropout', () => {
  it('drops half of the units in training, another half at every call, and doubles the others', () => {
    const [first, second] = masks(3, 2) as [number[], number[]];
    expect(new Set(first)).toEqual(new Set([0, 2]));
    const kept = first.filter((value) => value > 0).length;
    expect(kept).toBeGreaterThan(430);
    expect(kept).toBeLessThan(570);
    expect(second).not.toEqual(first);
  });

  it('draws the same masks for the same seed, and others for another', () => {
    expect(masks(3, 2)).toEqual(masks(3, 2));
    expect(masks(4, 1)).not.toEqual(masks(3, 1));
  });

  it('leaves everything as it is in use', () => {
    expect(masks(3, 1, false)[0]?.every((value) => value === 1)).toBe(true);
  });
});
