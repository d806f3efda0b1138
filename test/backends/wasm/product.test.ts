import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {dispose, fill, fused, matMul, setBackend, type Tensor, tensor, tidy, transpose} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {describe, expect, it} from 'vitest';
import {RUNS, randomFrom} from '../../support/property';
import {trainOnWasm} from './sameAsCpu';

/** Adds up products one after the other, each rounded to float32. */
function inOrder(a: Float32Array, b: Float32Array, rows: number, inner: number, columns: number, start = 0) {
  const sums = new Float32Array(rows * columns).fill(start);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const left = a[i * inner + k] as number;
      for (let j = 0; j < columns; j++) {
        const product = Math.fround(left * (b[k * columns + j] as number));
        sums[i * columns + j] = (sums[i * columns + j] as number) + product;
      }
    }
  }
  return sums;
}

const values = (size: number, seed: number) => {
  const next = randomFrom(seed);
  return Float32Array.from({length: size}, () => 2 * next() - 1);
};

/** On both sides of the sizes of tiles, panels and blocks. */
const sizes = fc.record({
  rows: fc.constantFrom(1, 2, 3, 4, 5, 8, 9, 255, 256, 257, 300),
  inner: fc.constantFrom(1, 2, 7, 64, 511, 512, 513, 1030),
  columns: fc.constantFrom(1, 2, 3, 7, 8, 9, 16, 23),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
});

describe('A product on wasm', () => {
  trainOnWasm();

  it('adds up in the order of the inner axis, bit for bit, transposed or not', () => {
    fc.assert(
      fc.property(sizes, ({rows, inner, columns, transposeA, transposeB}) => {
        const [a, b] = [values(rows * inner, 1), values(inner * columns, 2)];
        const product = tidy(() => {
          const [left, right] = [tensor(a, [rows, inner]), tensor(b, [inner, columns])];
          const turned = (x: Tensor, isTurned: boolean) => (isTurned ? transpose(x) : x);
          return matMul(turned(left, transposeA), turned(right, transposeB), transposeA, transposeB);
        });
        expect(product.dataSync()).toEqual(inOrder(a, b, rows, inner, columns));
        product.dispose();
      }),
      {...RUNS, numRuns: 60},
    );
  });

  it('starts from the bias', () => {
    const [a, b] = [values(9 * 7, 1), values(7 * 11, 2)];
    const biased = tidy(() => fused.matMul({a: tensor(a, [9, 7]), b: tensor(b, [7, 11]), bias: fill([11], 0.3)}));
    expect(biased.dataSync()).toEqual(inOrder(a, b, 9, 7, 11, Math.fround(0.3)));
    biased.dispose();
  });

  it('is that of the stock kernel, bit for bit', () => {
    const product = () =>
      tidy(() => matMul(tensor(values(70 * 600, 1), [70, 600]), tensor(values(600 * 30, 2), [600, 30])));
    const ours = product();
    enableWasmTraining()();
    const stock = product();
    enableWasmTraining();
    expect(ours.dataSync()).toEqual(stock.dataSync());
    dispose([ours, stock]);
  });

  it('keeps what is not finite in its row and column', () => {
    const [a, b] = [values(9 * 20, 1), values(20 * 11, 2)];
    a[4 * 20 + 3] = Number.NaN;
    b[5 * 11 + 10] = Number.POSITIVE_INFINITY;
    const product = tidy(() => matMul(tensor(a, [9, 20]), tensor(b, [20, 11])));
    const found = product.dataSync();
    for (const [place, value] of inOrder(a, b, 9, 20, 11).entries()) expect(found[place]).toBe(value);
    expect(found.filter((value) => !Number.isFinite(value)).length).toBe(11 + 9 - 1);
    product.dispose();
  });

  it('reads data of another backend, for which the memory of wasm must grow', async () => {
    await setBackend('cpu');
    const [a, b] = [fill([3000, 3000], 1), fill([3000, 1], 2)];
    await setBackend('wasm');
    const product = matMul(a, b);
    expect(new Set(product.dataSync())).toEqual(new Set([6000]));
    dispose([a, b, product]);
  });
});
