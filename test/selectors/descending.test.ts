import {
  copyRegisteredKernels,
  env,
  findBackendFactory,
  type KernelBackend,
  registerBackend,
  setBackend,
  tensor1d,
} from '@tensorflow/tfjs-core';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {descending} from '../../src/selectors/ranking';
import {describeOnBackends} from '../support/backends';

describeOnBackends('descending', () => {
  it('gives the largest first, with their places, and of equal ones the earlier', () => {
    const {values, indices} = descending(tensor1d([1, 5, 2, 5, 9]), 4);
    expect([...values.dataSync()]).toEqual([9, 5, 5, 2]);
    expect([...indices.dataSync()]).toEqual([4, 1, 3, 2]);
  });

  it('gives all of them if no count is given', () => {
    expect([...descending(tensor1d([1, 3, 2])).indices.dataSync()]).toEqual([1, 2, 0]);
  });
});

describe('descending on a backend called webgl', () => {
  const FLAGS = ['TOPK_LAST_DIM_CPU_HANDOFF_SIZE_THRESHOLD', 'TOPK_K_CPU_HANDOFF_THRESHOLD'];
  const flags = () => FLAGS.map((flag) => env().getNumber(flag));

  beforeAll(async () => {
    copyRegisteredKernels('cpu', 'webgl');
    registerBackend('webgl', findBackendFactory('cpu') as () => KernelBackend);
    env().registerFlag(FLAGS[0] as string, () => 100_000);
    env().registerFlag(FLAGS[1] as string, () => 128);
    await setBackend('webgl');
  });
  afterAll(async () => {
    await setBackend('cpu');
  });

  it('leaves the flags as they were, also when it throws', () => {
    descending(tensor1d([1, 2]));
    expect(flags()).toEqual([100_000, 128]);
    expect(() => descending(tensor1d([1, 2]), 3)).toThrow();
    expect(flags()).toEqual([100_000, 128]);
  });
});
