import '@tensorflow/tfjs-backend-cpu';
import {setWasmPaths} from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import '@tensorflow/tfjs-layers';
import {env, setBackend} from '@tensorflow/tfjs-core';
import {beforeAll, describe, expect} from 'vitest';
import {WASM_FILES} from '../../../examples/mnist/web/worker/wasmFiles';

export const BACKENDS = ['cpu', 'wasm', 'webgl', 'webgpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

setWasmPaths(WASM_FILES);
// Otherwise small tensors never reach the GPU, and its kernels are not what is tested.
env().set('WEBGL_CPU_FORWARD', false);
env().set('WEBGPU_CPU_FORWARD', false);

/** Describes something once for each backend that a browser has. */
export function describeOnBackends(title: string, specification: (backend: BackendName) => void): void {
  describe.each(BACKENDS)(`${title} on %s`, (backend) => {
    beforeAll(async () => {
      expect(await setBackend(backend)).toBe(true);
    });
    specification(backend);
  });
}
