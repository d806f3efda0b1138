import {backend as currentBackend, env, setBackend} from '@tensorflow/tfjs-core';
import type {Backend} from '../../experiment/results';
import {loadWasm} from './loadWasm';

/** A backend that is set, and a promise that is rejected when its GPU is lost. */
export interface LoadedBackend {
  lost: Promise<never>;
}

const LOADERS: Record<Backend, () => Promise<unknown>> = {
  webgpu: () => import('@tensorflow/tfjs-backend-webgpu'),
  webgl: () => import('@tensorflow/tfjs-backend-webgl'),
  wasm: loadWasm,
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
};

/**
 * Loads a backend, and only that one, and sets it.
 *
 * @throws Error that says what failed.
 */
export async function loadBackend(name: Backend): Promise<LoadedBackend> {
  await LOADERS[name]();
  // tfjs refuses a software-rendered GPU; the page has warned whoever chooses it here.
  if (name === 'webgl') env().set('SOFTWARE_WEBGL_ENABLED', true);
  if (!(await setBackend(name))) throw new Error(`${name} did not start.`);
  const lost = lossOf(name);
  // Between two waits there is no listener, and that is no error.
  lost.catch(() => {});
  return {lost};
}

/** The parts of tfjs's GPU backends by which they can be watched. */
interface WithContext {
  gpgpu: {gl: WebGL2RenderingContext};
}
interface WithDevice {
  device: GPUDevice;
}

function lossOf(name: Backend): Promise<never> {
  return new Promise((_, reject) => {
    if (name === 'webgl') {
      const {canvas} = (currentBackend() as unknown as WithContext).gpgpu.gl;
      canvas.addEventListener('webglcontextlost', () => reject(new Error('The browser took the GPU away from WebGL.')));
    }
    if (name === 'webgpu') {
      const {device} = currentBackend() as unknown as WithDevice;
      void device.lost.then(({message}) =>
        reject(new Error(`The browser took the GPU away from WebGPU. ${message}`.trim())),
      );
    }
  });
}
