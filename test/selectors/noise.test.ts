import {importanceSampling, iouBalancedNegatives, percentileSampling, randomK, rankSampling} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {gumbelNoise, noise} from '../../src/selectors/noise';
import {describeOnBackends} from '../support/backends';
import {sumOf, uniforms} from '../support/draws';
import {valuesOf} from '../support/tensors';

describe('Selectors that draw', () => {
  it('refuse a seed that would be another one as a text', () => {
    for (const seed of [Number.NaN, {}, null, Number.POSITIVE_INFINITY] as never[]) {
      const built = {
        randomK: () => randomK({k: 1, seed}),
        importanceSampling: () => importanceSampling({k: 1, seed}),
        rankSampling: () => rankSampling({ratio: 0.5, seed}),
        percentileSampling: () => percentileSampling({power: 1, seed}),
        iouBalancedNegatives: () => iouBalancedNegatives({k: 1, seed}),
      };
      for (const [name, build] of Object.entries(built)) {
        expect(build).toThrow(`${name}: seed must be a finite number or a text, got`);
      }
    }
  });
});

describeOnBackends('noise', () => {
  it('is the same for the same seed and step, and another for another', () => {
    const some = (seed: number, step?: number) =>
      valuesOf(() => noise(8, seed, step === undefined ? {} : {step}, (u) => u));
    expect(some(3, 5)).toEqual(some(3, 5));
    expect(some(3)).toEqual(some(3, 0));
    const different = [some(3, 5), some(3, 6), some(4, 5), some(5, 3), some(35, 0), some(1, 11), some(11, 1)];
    expect(new Set(different.map(String)).size).toBe(different.length);
  });

  it('gives numbers of the requested shape', () => {
    expect(valuesOf(() => noise(4, 1, {}, (u) => (u < 2 ? 7 : 0)))).toEqual([7, 7, 7, 7]);
    const [first] = uniforms(1, 1, 0);
    expect(valuesOf(() => gumbelNoise(1, 1, {}))).toEqual([Math.fround(-Math.log(-Math.log(first as number)))]);
  });

  it('is made of uniform numbers in (0, 1)', () => {
    const numbers = uniforms(100_000, 1, 0);
    expect(numbers.every((number) => number > 0 && number < 1)).toBe(true);
    // Each tenth has a count with standard error √(1e5 · 0.1 · 0.9) = 94.9 about 10 000: 4.5 of
    // them is 427.
    const tenths = Array<number>(10).fill(0);
    for (const number of numbers) tenths[Math.floor(10 * number)] = (tenths[Math.floor(10 * number)] ?? 0) + 1;
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(427);
    // Their mean has the standard error √(1/12/n).
    expect(Math.abs(sumOf(numbers) / 100_000 - 0.5)).toBeLessThan(4.5 / Math.sqrt(12 * 100_000));
  });

  it('has numbers that know nothing of the next, nor of those of the next step or seed', () => {
    // The correlation of independent numbers has the standard error 1/√n; 4.5 of them.
    const size = 20_000;
    const correlation = (a: number[], b: number[]) =>
      12 * (sumOf(a.map((u, i) => (u - 0.5) * ((b[i] as number) - 0.5))) / a.length);
    const numbers = uniforms(size, 1, 0);
    for (const others of [[...numbers.slice(1), 0.5], uniforms(size, 1, 1), uniforms(size, 2, 0)]) {
      expect(Math.abs(correlation(numbers, others))).toBeLessThan(4.5 / Math.sqrt(size));
    }
    // Of one step after the other, too, the first numbers are uniform: their mean has the standard
    // error √(1/12/n).
    const firsts = Array.from({length: 2000}, (_, step) => uniforms(1, 1, step)[0] as number);
    expect(Math.abs(sumOf(firsts) / 2000 - 0.5)).toBeLessThan(4.5 / Math.sqrt(12 * 2000));
  });
});
