import {env} from '@tensorflow/tfjs-core';
import {WASM_FILES} from './wasmFiles';

/**
 * Loads the wasm backend with the kernels that training needs.
 *
 * @throws Error that names the binary that the server does not have.
 */
export async function loadWasm(): Promise<void> {
  const [{setWasmPaths}, {enableWasmTraining}] = await Promise.all([
    import('@tensorflow/tfjs-backend-wasm'),
    import('ohem-tfjs/wasm'),
  ]);
  const hasSimd = await env().getAsync('WASM_HAS_SIMD_SUPPORT');
  const hasThreads = await env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT');
  const kind = hasSimd ? (hasThreads ? '-threaded-simd' : '-simd') : '';
  await checkServed(WASM_FILES[`tfjs-backend-wasm${kind}.wasm`]);
  setWasmPaths(WASM_FILES);
  enableWasmTraining();
}

/** Binaries that the server has; the browser keeps those of a backend that has started. */
const served = new Set<string>();

/** tfjs would say no more than that it could not start. */
async function checkServed(url: string): Promise<void> {
  if (served.has(url)) return;
  const file = url.slice(url.lastIndexOf('/') + 1);
  const response = await fetch(url, {method: 'HEAD'}).catch(() => undefined);
  if (response?.ok) {
    served.add(url);
    return;
  }
  const got = response ? `the server answered ${response.status}` : 'no answer came';
  throw new Error(`${file} could not be loaded: ${got}. Put the .wasm files beside the scripts of this page.`);
}
