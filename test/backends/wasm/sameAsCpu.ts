import {backend, engine, type NamedTensorMap, setBackend, type Tensor, tensor, tidy} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterAll, beforeAll, expect} from 'vitest';
import {expectClose, type Tolerance} from '../../support/close';
import {randomFrom} from '../../support/property';

/** Sums of a few products, in another order than the cpu backend adds them up. */
export const ROUNDED: Tolerance = {absolute: 2e-5, relative: 2e-5};
export const EXACT: Tolerance = {absolute: 0, relative: 0};

/** Runs the tests of a description on wasm with our kernels, and puts the stock ones back. */
export function trainOnWasm(): void {
  beforeAll(async () => {
    await setBackend('wasm');
    enableWasmTraining();
  });
  afterAll(() => {
    enableWasmTraining()();
  });
}

/**
 * Expects `compute` to give on wasm what it gives on cpu, or what `expected` gives there; and to
 * leave nothing but that.
 */
export async function expectSameAsCpu(
  compute: () => Tensor,
  {tolerance = ROUNDED, expected = compute}: {tolerance?: Tolerance; expected?: () => Tensor} = {},
): Promise<void> {
  await setBackend('cpu');
  const right = tidy(expected);
  const values = right.dataSync();
  await setBackend('wasm');
  const before = backend().numDataIds();
  const result = tidy(compute);
  expect([result.dtype, result.shape]).toEqual([right.dtype, right.shape]);
  expectClose(result, values, tolerance);
  result.dispose();
  expect(backend().numDataIds()).toBe(before);
  right.dispose();
}

/** Numbers between -1 and 1. */
export function random(shape: number[], seed: number): Tensor {
  const next = randomFrom(seed);
  const values = Float32Array.from({length: shape.reduce((total, length) => total * length, 1)}, () => 2 * next() - 1);
  return tensor(values, shape);
}

/** Runs a kernel that has no op of its own. */
export function runKernel(name: string, inputs: NamedTensorMap, attrs: object): Tensor {
  return engine().runKernel(name, inputs, attrs as never) as Tensor;
}

/** Expects `run` to leave no data on the backend. */
export function expectNothingLeft(run: () => void): void {
  const before = backend().numDataIds();
  run();
  expect(backend().numDataIds()).toBe(before);
}
