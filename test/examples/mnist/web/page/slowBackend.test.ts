import {describe, expect, it} from 'vitest';
import {slowBackend} from '../../../../../examples/mnist/web/page/slowBackend';
import type {Offer} from '../../../../../examples/mnist/web/protocol';

const offer = (backend: Offer['backend'], {available = true, isSoftware = false} = {}): Offer => ({
  backend,
  available,
  isSoftware,
  note: '',
});
const noGpu = [offer('webgpu', {isSoftware: true}), offer('webgl', {isSoftware: true}), offer('wasm'), offer('cpu')];

describe('slowBackend', () => {
  it('says that a GPU is rendered by the processor, and what is quicker', () => {
    expect(slowBackend('webgl', noGpu)).toBe(
      'WebGL has no GPU on this machine: the processor renders in its place, and each step may take seconds. ' +
        'WebAssembly is quicker here.',
    );
  });

  it('names nothing quicker if there is nothing', () => {
    const offers = [offer('webgpu', {isSoftware: true}), offer('wasm', {available: false}), offer('cpu')];
    expect(slowBackend('webgpu', offers)).toMatch(/may take seconds\.$/);
  });

  it('says that plain JavaScript is slow', () => {
    expect(slowBackend('cpu', noGpu)).toMatch(/^CPU is plain JavaScript: .* WebAssembly is quicker here\.$/);
  });

  it('has nothing to say of a GPU, or of wasm', () => {
    expect(slowBackend('webgl', [offer('webgl'), offer('wasm')])).toBe('');
    expect(slowBackend('wasm', noGpu)).toBe('');
  });
});
