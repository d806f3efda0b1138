import type {Tensor} from '@tensorflow/tfjs-core';
import {expect} from 'vitest';

export interface Tolerance {
  absolute: number;
  relative: number;
}

/** Expects every number to be within `absolute + relative · |expected|`; says which one is not. */
export function expectClose(
  actual: Tensor | ArrayLike<number>,
  expected: Tensor | ArrayLike<number>,
  {absolute, relative}: Tolerance,
): void {
  const [got, want] = [numbers(actual), numbers(expected)];
  expect(got.length).toBe(want.length);
  const off = got.findIndex(
    (value, i) => !(Math.abs(value - at(want, i)) <= absolute + relative * Math.abs(at(want, i))),
  );
  if (off >= 0) expect.fail(`at position ${off}: expected ${at(want, off)}, got ${at(got, off)}`);
}

/** Expects two sets of numbers to differ by less than `relative` of the larger norm: for gradients of very different sizes. */
export function expectSameDirection(actual: Tensor, expected: Tensor, relative: number): void {
  const [got, want] = [numbers(actual), numbers(expected)];
  expect(got.length).toBe(want.length);
  const norm = (values: number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  const difference = norm(got.map((value, i) => value - at(want, i)));
  const size = Math.max(norm(got), norm(want));
  if (!(difference <= relative * size)) expect.fail(`relative difference ${difference / size} over ${relative}`);
}

function numbers(values: Tensor | ArrayLike<number>): number[] {
  return Array.from('dataSync' in values ? values.dataSync() : values);
}

function at(values: number[], index: number): number {
  return values[index] as number;
}
