import {MathBackendCPU} from '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import {copyRegisteredKernels, registerBackend, removeBackend, setBackend} from '@tensorflow/tfjs-core';
import {afterAll, beforeAll, describe} from 'vitest';

export const BACKENDS = ['cpu', 'wasm'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** Describes something once for each backend. */
export function describeOnBackends(title: string, specification: (backend: BackendName) => void): void {
  describe.each(BACKENDS)(`${title} on %s`, (backend) => {
    beforeAll(async () => {
      await setBackend(backend);
    });
    specification(backend);
  });
}

/**
 * Describes something on a backend with the kernels of cpu, of which the library does not know that
 * its tensors are in main memory.
 */
export function describeOnDevice(title: string, specification: () => void): void {
  describe(title, () => {
    beforeAll(async () => {
      copyRegisteredKernels('cpu', 'elsewhere');
      registerBackend('elsewhere', () => new MathBackendCPU());
      await setBackend('elsewhere');
    });
    afterAll(async () => {
      await setBackend('cpu');
      removeBackend('elsewhere');
    });
    specification();
  });
}
