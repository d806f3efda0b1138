import {cast, fill, memory, tensor, tensor1d, tidy} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {areFiniteOnHost, finiteRows, hasFiniteSquares} from '../src/finite';
import {trainOnWasm} from './backends/wasm/sameAsCpu';
import {describeOnBackends} from './support/backends';

/** Shapes on both sides of the size from which kernels decide, of different widths. */
const SHAPES = [
  [1],
  [7],
  [16, 3],
  [64, 257],
  [1030, 16],
  [8191],
  [8195],
  [131_072],
  [131_088],
  [131_073],
  [43_700, 3],
  [200_001],
  [66, 2000],
];
const LARGEST = 3.4028234663852886e38;

describeOnBackends('finite numbers', describeThem);

describe('finite numbers by the kernels of enableWasmTraining', () => {
  trainOnWasm();
  describeThem();
});

function describeThem() {
  /** A shape, a place in it, and a number for that place; the others are ordinary. */
  const cases = fc.record({
    shape: fc.constantFrom(...SHAPES),
    at: fc.nat(),
    odd: fc.constantFrom(
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      LARGEST,
      -LARGEST,
      1e19,
      1e-45,
      -0,
    ),
  });
  const filled = ({shape, at, odd}: {shape: number[]; at: number; odd: number}) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const values = Float32Array.from({length: size}, (_, i) => Math.sin(i));
    values[at % size] = odd;
    return {values, size, place: at % size};
  };

  it('are recognised, wherever the other one is', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const {values} = filled(one);
        tidy(() => {
          const given = tensor(values, one.shape);
          expect(areFiniteOnHost(given)).toBe(Number.isFinite(one.odd));
        });
      }),
    );
  });

  it('are recognised where their sum is not finite', () => {
    tidy(() => void expect(areFiniteOnHost(fill([160_000], 1e35))).toBe(true));
  });

  it('have squares that are finite, or not', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const {values} = filled(one);
        // One square of 1e38 is finite; that of the largest number is not.
        tidy(() => void expect(hasFiniteSquares(tensor(values, one.shape))).toBe(Math.abs(one.odd) <= 1e19));
      }),
    );
  });

  it('have a finite sum of squares, or not, though each square is finite', () => {
    for (const size of [4, 16_401, 131_088, 200_001]) {
      const values = new Float32Array(size).fill(1e19);
      tidy(() => void expect(hasFiniteSquares(tensor1d(values))).toBe(false));
      values.fill(Math.sqrt(LARGEST / size) / 1.01);
      tidy(() => void expect(hasFiniteSquares(tensor1d(values))).toBe(true));
    }
  });

  it('are all integers and flags', () => {
    tidy(() => {
      expect(areFiniteOnHost(tensor1d([2 ** 31 - 1, -(2 ** 31)], 'int32'))).toBe(true);
      expect(areFiniteOnHost(tensor1d([true, false], 'bool'))).toBe(true);
      // The cpu backend keeps the bytes of flags in a tensor of floats.
      expect(areFiniteOnHost(cast(tensor1d([true, false], 'bool'), 'float32'))).toBe(true);
    });
  });

  it('mark the rows that have no other, and leave no tensor behind', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const {values, size, place} = filled(one);
        const rows = one.shape[0] as number;
        tidy(() => {
          const given = tensor(values, one.shape);
          const before = memory().numTensors;
          const marks = finiteRows([given], rows);
          expect(memory().numTensors - before).toBe(marks ? 1 : 0);
          const bad = Number.isFinite(one.odd) ? -1 : Math.floor(place / (size / rows));
          expect(marks ? Array.from(marks.dataSync()).indexOf(0) : -1).toBe(bad);
        });
      }),
    );
  });
}
