import {isSoftwareGpu} from '../backendChoice';
import type {Offer} from '../protocol';

/** Finds out which backends this browser has, without loading any of them. */
export async function findOffers(): Promise<Offer[]> {
  return Promise.all([webgpuOffer(), webglOffer(), wasmOffer(), cpuOffer()]);
}

async function webgpuOffer(): Promise<Offer> {
  const refuse = (note: string): Offer => ({backend: 'webgpu', available: false, isSoftware: false, note});
  // In a page that came over plain http it is not there either.
  if (!navigator.gpu) return refuse('This browser has no WebGPU here. Use a recent one, over https or from localhost.');
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (!adapter) return refuse('WebGPU finds no GPU. Update the graphics driver, or switch hardware acceleration on.');
  const {vendor, architecture, description, isFallbackAdapter} = adapter.info;
  const name = description || [vendor, architecture].filter((part) => part !== '').join(' ') || 'GPU';
  return gpuOffer('webgpu', name, isFallbackAdapter);
}

function webglOffer(): Offer {
  const gl = typeof OffscreenCanvas === 'undefined' ? null : new OffscreenCanvas(1, 1).getContext('webgl2');
  if (!gl) {
    const note = 'This browser gives no WebGL 2. Switch hardware acceleration on in its settings, or use another one.';
    return {backend: 'webgl', available: false, isSoftware: false, note};
  }
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  // Browsers limit the number of contexts.
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return gpuOffer('webgl', name, false);
}

function gpuOffer(backend: 'webgpu' | 'webgl', name: string, isFallback: boolean): Offer {
  const isSoftware = isFallback || isSoftwareGpu(name);
  return {backend, available: true, isSoftware, note: isSoftware ? 'No GPU: software-rendered, slow.' : name};
}

function wasmOffer(): Offer {
  const available = typeof WebAssembly === 'object';
  const note = available ? 'The processor, compiled.' : 'This browser has no WebAssembly. Use a recent one.';
  return {backend: 'wasm', available, isSoftware: false, note};
}

const cpuOffer = (): Offer => ({
  backend: 'cpu',
  available: true,
  isSoftware: false,
  note: 'Plain JavaScript: everywhere, slow.',
});
