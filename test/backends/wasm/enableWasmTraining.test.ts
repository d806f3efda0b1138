import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import {
  backend,
  conv2d,
  getKernel,
  getKernelsForBackend,
  grad,
  type KernelFunc,
  registerKernel,
  setBackend,
  type Tensor4D,
  tidy,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {MISSING} from '../../support/missingOnWasm';
import {expectSameAsCpu, random} from './sameAsCpu';

const REPLACED = [
  'Add',
  'BatchMatMul',
  'Conv2DBackpropInput',
  'Conv3DBackpropFilterV2',
  'Conv3DBackpropInputV2',
  'GatherV2',
  'Identity',
  'MaxPool3D',
  'MaxPool3DGrad',
  'MaxPoolGrad',
  '_FusedMatMul',
];

/** For what a step does beside products. */
const OF_STEPS = ['OhemActivationGradient', 'OhemSgdUpdate', 'OhemSquareSum'];

const kernelsOf = (backendName: string) =>
  new Map<string, KernelFunc>(
    getKernelsForBackend(backendName).map(({kernelName, kernelFunc}) => [kernelName, kernelFunc]),
  );
const STOCK = kernelsOf('wasm');

const filterGradient = () => {
  const [x, filter] = [random([2, 5, 5, 2], 1), random([2, 2, 2, 3], 2)] as [Tensor4D, Tensor4D];
  return grad((kernel) => conv2d(x, kernel as Tensor4D, 1, 'valid'))(filter);
};

describe('enableWasmTraining', () => {
  beforeEach(async () => {
    await setBackend('wasm');
  });
  afterEach(() => {
    enableWasmTraining()();
  });

  it('adds the kernels that wasm and steps lack, replaces the slow and the wrong ones, and leaves the others alone', () => {
    enableWasmTraining();
    const ours = kernelsOf('wasm');
    const changed = [...ours.keys()].filter((name) => ours.get(name) !== STOCK.get(name));
    expect(changed.sort()).toEqual([...MISSING, ...OF_STEPS, ...REPLACED].sort());
    expect(MISSING.filter((name) => STOCK.has(name))).toEqual([]);
    expect(REPLACED.filter((name) => !STOCK.has(name))).toEqual([]);
  });

  it('puts the stock kernels back, and those that were missing are missing again', () => {
    const disable = enableWasmTraining();
    disable();
    expect(kernelsOf('wasm')).toEqual(STOCK);
    expect(() => tidy(filterGradient)).toThrow("Kernel 'Conv2DBackpropFilter' not registered for backend 'wasm'");
    disable();
    expect(kernelsOf('wasm')).toEqual(STOCK);
  });

  it('changes nothing when it is called again, and is undone by one call', () => {
    enableWasmTraining();
    const once = kernelsOf('wasm');
    const disable = enableWasmTraining();
    expect(kernelsOf('wasm')).toEqual(once);
    disable();
    expect(kernelsOf('wasm')).toEqual(STOCK);
  });

  it('works again after it was undone', async () => {
    enableWasmTraining()();
    enableWasmTraining();
    await expectSameAsCpu(filterGradient);
  });

  it('can be called on another backend, which stays as it is', async () => {
    await setBackend('cpu');
    const before = kernelsOf('cpu');
    enableWasmTraining();
    expect(kernelsOf('cpu')).toEqual(before);
    await expectSameAsCpu(filterGradient);
  });

  it('stays enabled while backends are changed', async () => {
    enableWasmTraining();
    await setBackend('cpu');
    await setBackend('wasm');
    await expectSameAsCpu(filterGradient);
  });

  it('puts its kernels together from stock ones, whichever of its own are there already', async () => {
    const disable = enableWasmTraining();
    const kernel = getKernel('Conv2DBackpropFilter', 'wasm');
    unregisterKernel('Conv2DBackpropFilter', 'wasm');
    enableWasmTraining();
    expect(getKernel('Conv2DBackpropFilter', 'wasm')).not.toBe(kernel);
    await expectSameAsCpu(filterGradient);
    disable();
    expect(kernelsOf('wasm')).toEqual(STOCK);
  });

  it('says so where a kernel of the wasm backend has not been imported, and changes nothing', () => {
    const kernel = getKernel('BatchMatMul', 'wasm');
    unregisterKernel('BatchMatMul', 'wasm');
    try {
      const before = kernelsOf('wasm');
      expect(() => enableWasmTraining()).toThrow(
        new TypeError(
          "enableWasmTraining: the wasm backend must be imported first, got none with the kernel BatchMatMul. Add import '@tensorflow/tfjs-backend-wasm', or its script after that of tfjs.",
        ),
      );
      expect(kernelsOf('wasm')).toEqual(before);
    } finally {
      if (kernel) registerKernel(kernel);
    }
  });

  it('gives back all data of many steps', () => {
    enableWasmTraining();
    const before = backend().numDataIds();
    for (let i = 0; i < 20; i++) tidy(filterGradient).dispose();
    expect(backend().numDataIds()).toBe(before);
  });
});
