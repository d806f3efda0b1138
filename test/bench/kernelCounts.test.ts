import {
  add,
  backend as currentBackend,
  engine,
  getKernel,
  getKernelsForBackend,
  type KernelConfig,
  matMul,
  mul,
  type NamedAttrMap,
  ones,
  registerKernel,
  reshape,
  type Tensor,
  tensor1d,
  tidy,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {computing, kernelCounts, kernelMs, kernelRuns, mostFrequent, productMs} from '../../bench/kernelCounts';
import {describeOnBackends} from '../support/backends';

describeOnBackends('kernelCounts', (backendName) => {
  const pair = () => [tensor1d([1, 2]), tensor1d([3, 4])] as const;
  const kernel = (name: string) => getKernel(name, backendName) as KernelConfig;
  const functions = () => getKernelsForBackend(backendName).map(({kernelFunc}) => kernelFunc);

  it('counts what the engine runs, by kernel, and tells what computes from views', async () => {
    const counts = await kernelCounts(() =>
      tidy(() => {
        const [a, b] = pair();
        reshape(add(mul(a, b), mul(a, a)), [1, 2]);
      }),
    );
    expect(Object.fromEntries(counts)).toEqual({Multiply: 2, Add: 1, Reshape: 1});
    expect(computing(counts)).toBe(3);
  });

  it('counts a kernel that is called without the engine', async () => {
    const [a, b] = pair();
    const run = () => kernel('Multiply').kernelFunc({inputs: {a, b}, attrs: {}, backend: currentBackend()});
    expect(Object.fromEntries(await kernelCounts(run))).toEqual({Multiply: 1});
    a.dispose();
    b.dispose();
  });

  it('counts the outer one of kernels that call others, and keeps counting when one of them throws', async () => {
    const outer = (name: string, then: () => void) =>
      registerKernel({
        kernelName: name,
        backendName,
        kernelFunc({inputs, attrs, backend}) {
          const product = kernel('Multiply').kernelFunc({inputs, attrs: attrs as NamedAttrMap, backend});
          then();
          return product;
        },
      });
    outer('TestOuter', () => {});
    outer('TestThrowing', () => {
      throw new Error('within');
    });
    const counts = await kernelCounts(() =>
      tidy(() => {
        const [a, b] = pair();
        const product = engine().runKernel('TestOuter', {a, b}) as Tensor;
        expect(() => engine().runKernel('TestThrowing', {a, b})).toThrow('within');
        add(product, a);
      }),
    );
    unregisterKernel('TestOuter', backendName);
    unregisterKernel('TestThrowing', backendName);
    expect(Object.fromEntries(counts)).toEqual({TestOuter: 1, TestThrowing: 1, Add: 1});
  });

  it('counts until a promise settles, and leaves the kernels as they were', async () => {
    const before = functions();
    const [a, b] = pair();
    const counts = await kernelCounts(async () => {
      await add(a, b).data();
      mul(a, b).dispose();
    });
    expect(Object.fromEntries(counts)).toEqual({Add: 1, Multiply: 1});
    expect(functions()).toEqual(before);
    await expect(kernelCounts(() => Promise.reject(new Error('no more')))).rejects.toThrow('no more');
    expect(functions()).toEqual(before);
  });
});

describeOnBackends('kernelRuns', () => {
  it('lists the kernels in their order, each with the time that it took', async () => {
    const start = performance.now();
    const runs = await kernelRuns(() => tidy(() => matMul(mul(ones([64, 64]), 2), ones([64, 64]))));
    const names = runs.map(({name}) => name);
    expect(names.indexOf('Multiply')).toBeLessThan(names.indexOf('BatchMatMul'));
    for (const {ms} of runs) {
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(performance.now() - start);
    }
  });
});

it('productMs adds up products, convolutions, max pools and their gradients only, kernelMs all', () => {
  const named = (name: string, ms: number) => ({name, ms});
  const products = ['BatchMatMul', '_FusedMatMul', 'Conv2DBackpropFilter', 'FusedConv2D', 'MaxPoolGrad'];
  const others = ['Add', 'AvgPool', 'Multiply', 'Transpose'];
  expect(productMs([...products, ...others].map((name, i) => named(name, 2 ** i)))).toBe(31);
  expect(productMs([])).toBe(0);
  expect(kernelMs([...products, ...others].map((name, i) => named(name, 2 ** i)))).toBe(
    2 ** (products.length + others.length) - 1,
  );
});

it('mostFrequent names the kernels that ran most often, without views, ties by name', () => {
  const counts = new Map(Object.entries({Sum: 2, Reshape: 9, Cast: 2, Add: 1, Multiply: 4}));
  expect(mostFrequent(counts)).toBe('Multiply 4, Cast 2, Sum 2');
  expect(mostFrequent(counts, 1)).toBe('Multiply 4');
});
