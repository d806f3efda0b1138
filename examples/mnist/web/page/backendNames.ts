import type {Backend} from '../../experiment/results';

/** The backends as a reader knows them. */
export const BACKEND_NAMES: Record<Backend, string> = {
  webgpu: 'WebGPU',
  webgl: 'WebGL',
  wasm: 'WebAssembly',
  cpu: 'CPU',
};
