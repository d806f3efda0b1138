import {fill, grad, ones, setBackend, sum, type Tensor, tidy} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {isForWasmKernel, runWasmKernel, SQUARE_SUM} from '../src/wasmKernels';
import './support/backends';

describe('A kernel of wasm for the step', () => {
  beforeEach(async () => {
    await setBackend('wasm');
    enableWasmTraining();
  });
  afterEach(() => enableWasmTraining()());
  const isFor = (shape: number[]) => tidy(() => isForWasmKernel(SQUARE_SUM, ones(shape)));

  it('is for tensors of any size', () => {
    expect([[], [1], [8192], [64, 128]].map(isFor)).toEqual([true, true, true, true]);
    expect(tidy(() => [...runWasmKernel(SQUARE_SUM, {x: fill([64, 128], 2)}).dataSync()])).toEqual([4 * 8192]);
  });

  it('is not for a number that is no float, though one of several', () => {
    tidy(() => {
      const [floats, integers] = [ones([8192]), ones([8192], 'int32')];
      expect(isForWasmKernel(SQUARE_SUM, integers)).toBe(false);
      expect(isForWasmKernel(SQUARE_SUM, floats, integers)).toBe(false);
      expect(isForWasmKernel(SQUARE_SUM, floats, floats)).toBe(true);
    });
  });

  it('is there once enableWasmTraining has been called', () => {
    enableWasmTraining()();
    expect(isFor([8192])).toBe(false);
  });

  it('is not for another backend, and not for a tape', async () => {
    tidy(() =>
      grad((x: Tensor) => {
        expect(isForWasmKernel(SQUARE_SUM, x)).toBe(false);
        return sum(x);
      })(ones([8192])),
    );
    await setBackend('cpu');
    expect(isFor([8192])).toBe(false);
  });
});
