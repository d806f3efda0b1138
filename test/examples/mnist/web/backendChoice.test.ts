import {describe, expect, it} from 'vitest';
import {isSoftwareGpu, preferredBackend} from '../../../../examples/mnist/web/backendChoice';
import type {Offer} from '../../../../examples/mnist/web/protocol';

/**
 * Offers as they are typed: `webgl!` is rendered in software, `webgpu-` is not available.
 */
const offers = (text: string): Offer[] =>
  text.split(' ').map((word) => ({
    backend: word.replace(/[!-]/, '') as Offer['backend'],
    available: !word.endsWith('-'),
    isSoftware: word.endsWith('!'),
    note: '',
  }));

describe('preferredBackend', () => {
  it.each([
    ['cpu wasm webgl webgpu', 'webgpu'],
    ['webgpu- webgl wasm cpu', 'webgl'],
    ['webgpu- webgl- wasm cpu', 'wasm'],
    ['webgpu- webgl- wasm- cpu', 'cpu'],
    ['webgpu! webgl wasm cpu', 'webgl'],
    ['webgpu! webgl! wasm cpu', 'wasm'],
    ['webgpu! webgl! wasm- cpu', 'cpu'],
    ['webgpu! webgl! wasm- cpu-', 'webgpu'],
  ])('of %s takes %s', (text, best) => {
    expect(preferredBackend(offers(text))).toBe(best);
  });

  it('has none where none is left', () => {
    expect(preferredBackend(offers('webgpu- webgl- wasm- cpu-'))).toBeUndefined();
  });
});

describe('isSoftwareGpu', () => {
  it('knows the GPUs that run on the processor', () => {
    const name = 'ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero) (0x0000C0DE)), SwiftShader driver)';
    expect(isSoftwareGpu(name)).toBe(true);
    expect(isSoftwareGpu('llvmpipe (LLVM 15.0.6, 256 bits)')).toBe(true);
    expect(isSoftwareGpu('Microsoft Basic Render Driver')).toBe(true);
    expect(isSoftwareGpu('ANGLE (Apple, ANGLE Metal Renderer: Apple M2, Unspecified Version)')).toBe(false);
  });
});
