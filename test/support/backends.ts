import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import {setBackend} from '@tensorflow/tfjs-core';
import {beforeAll, describe} from 'vitest';

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
