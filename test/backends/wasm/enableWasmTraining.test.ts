import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {
  backend,
  type DataType,
  gather,
  getKernel,
  matMul,
  memory,
  registerKernel,
  setBackend,
  type Tensor,
  tensor,
  tensor1d,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {expectClose} from '../../support/close';

const kernelFunctions = () => ['BatchMatMul', 'GatherV2'].map((name) => getKernel(name, 'wasm')?.kernelFunc);
const STOCK = kernelFunctions();

const size = fc.integer({min: 1, max: 9});
const numbers = (count: number, seed: number) => Float32Array.from({length: count}, (_, i) => Math.sin(seed + 1.7 * i));
const product = (shape: number[]) => shape.reduce((total, length) => total * length, 1);
const make = (shape: number[], seed: number, dtype: DataType = 'float32') =>
  tensor(
    dtype === 'float32'
      ? numbers(product(shape), seed)
      : Int32Array.from(numbers(product(shape), seed), (x) => Math.round(9 * x)),
    shape,
    dtype,
  );

/** What `f` gives on wasm, and on cpu. */
async function onBoth(f: () => Tensor): Promise<[Tensor, Float32Array]> {
  await setBackend('cpu');
  const expected = f();
  const values = (await expected.data()) as Float32Array;
  expected.dispose();
  await setBackend('wasm');
  return [f(), values];
}

describe('enableWasmTraining', () => {
  beforeAll(async () => {
    await setBackend('wasm');
  });
  afterEach(() => {
    enableWasmTraining()();
  });
  afterAll(async () => {
    await setBackend('cpu');
  });

  it('multiplies matrices as the cpu backend does, transposed or not, batched or not', async () => {
    enableWasmTraining();
    const shapes = fc.record({
      outer: fc.constantFrom([], [1], [3], [2, 3]),
      broadcast: fc.constantFrom('neither', 'a', 'b'),
      rows: size,
      inner: size,
      columns: size,
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(shapes, async ({outer, broadcast, rows, inner, columns, transposeA, transposeB}) => {
        const outerA = broadcast === 'a' ? outer.map(() => 1) : outer;
        const outerB = broadcast === 'b' ? outer.map(() => 1) : outer;
        const shapeA = [...outerA, ...(transposeA ? [inner, rows] : [rows, inner])];
        const shapeB = [...outerB, ...(transposeB ? [columns, inner] : [inner, columns])];
        const before = memory().numTensors;
        const [actual, expected] = await onBoth(() => {
          const [a, b] = [make(shapeA, 1), make(shapeB, 2)];
          const result = matMul(a, b, transposeA, transposeB);
          a.dispose();
          b.dispose();
          return result;
        });
        expect(actual.shape).toEqual([...outer, rows, columns]);
        expectClose(actual, expected, {absolute: 1e-5, relative: 1e-5});
        actual.dispose();
        expect(memory().numTensors).toBe(before);
      }),
      {numRuns: 150, seed: 20260101},
    );
  });

  it('gathers as the cpu backend does, along any axis, rows or single numbers, of any type', async () => {
    enableWasmTraining();
    const cases = fc.record({
      shape: fc.array(size, {minLength: 1, maxLength: 4}),
      axis: fc.nat(3),
      indices: fc.array(fc.nat(8), {minLength: 1, maxLength: 12}),
      asMatrix: fc.boolean(),
      dtype: fc.constantFrom<DataType>('float32', 'int32'),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({shape, axis, indices, asMatrix, dtype}) => {
        const along = axis % shape.length;
        const inRange = indices.map((index) => index % (shape[along] as number));
        const [actual, expected] = await onBoth(() => {
          const [x, rows] = [
            make(shape, 3, dtype),
            tensor(inRange, asMatrix ? [1, inRange.length] : [inRange.length], 'int32'),
          ];
          const result = gather(x, rows, along);
          x.dispose();
          rows.dispose();
          return result;
        });
        expect(actual.dtype).toBe(dtype);
        expectClose(actual, expected, {absolute: 0, relative: 0});
        actual.dispose();
      }),
      {numRuns: 150, seed: 20260102},
    );
  });

  it('gathers batch by batch as before', async () => {
    enableWasmTraining();
    const [actual, expected] = await onBoth(() =>
      gather(make([2, 3, 2], 4), tensor([0, 2, 1, 1], [2, 2], 'int32'), 1, 1),
    );
    expectClose(actual, expected, {absolute: 0, relative: 0});
  });

  it('refuses rows that are not there, in the words of tfjs', () => {
    enableWasmTraining();
    for (const row of [3, -1]) {
      expect(() => gather(make([3, 2], 5), tensor1d([0, row], 'int32'))).toThrow(
        `GatherV2: the index value ${row} is not in [0, 2]`,
      );
    }
  });

  it('gives back no data that it made on the way', () => {
    enableWasmTraining();
    const [a, b] = [make([5, 4], 6), make([5, 3], 7)];
    const before = backend().numDataIds();
    matMul(a, b, true).dispose();
    expect(backend().numDataIds()).toBe(before);
  });

  it('puts the stock kernels back', () => {
    const disable = enableWasmTraining();
    const ours = kernelFunctions();
    ours.forEach((kernel, i) => {
      expect(kernel).not.toBe(STOCK[i]);
    });
    disable();
    expect(kernelFunctions()).toEqual(STOCK);
    disable();
    expect(kernelFunctions()).toEqual(STOCK);
  });

  it('changes nothing when it is called again, and is undone by one call', () => {
    enableWasmTraining();
    const once = kernelFunctions();
    const disable = enableWasmTraining();
    expect(kernelFunctions()).toEqual(once);
    disable();
    expect(kernelFunctions()).toEqual(STOCK);
  });

  it('says so where the wasm backend has not been imported', () => {
    const kernel = getKernel('BatchMatMul', 'wasm');
    unregisterKernel('BatchMatMul', 'wasm');
    try {
      expect(() => enableWasmTraining()).toThrow(
        "enableWasmTraining: the wasm backend must be imported first, got no kernel BatchMatMul of it. Add import '@tensorflow/tfjs-backend-wasm'.",
      );
    } finally {
      if (kernel) registerKernel(kernel);
    }
  });
});
