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

/**
 * Expects two sets of numbers to differ by less than `relative` of the larger norm: for gradients
 * of very different sizes.
 *
 * @param absolute what they may differ by besides: float32 rounds the small sum of large terms as
 *   it rounds the terms.
 */
export function expectSameDirection(
  actual: Tensor | ArrayLike<number>,
  expected: Tensor | ArrayLike<number>,
  relative: number,
  absolute = 0,
): void {
  const [got, want] = [numbers(actual), numbers(expected)];
  expect(got.length).toBe(want.length);
  const difference = norm(got.map((value, i) => value - at(want, i)));
  const size = Math.max(norm(got), norm(want));
  const allowed = relative * size + absolute;
  if (!(difference <= allowed)) expect.fail(`difference ${difference} over ${allowed}, of numbers of norm ${size}`);
}

/** The root of the sum of squares. */
export function norm(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function numbers(values: Tensor | ArrayLike<number>): number[] {
  return Array.from('dataSync' in values ? values.dataSync() : values);
}

function at(values: number[], index: number): number {
  return values[index] as number;
}
