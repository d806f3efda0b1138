import {describe, expect, it, vi} from 'vitest';
import {sha256} from '../../../../examples/mnist/data/sha256';

describe('sha256', () => {
  it('is the one of FIPS 180-4', async () => {
    expect(await sha256(new TextEncoder().encode('abc'))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('says what to do where the browser keeps it back', async () => {
    vi.stubGlobal('crypto', {});
    try {
      await expect(sha256(Uint8Array.of(1))).rejects.toThrow(
        new Error(
          'sha256: crypto.subtle must be there to check the files, got none. Open this page over https or from localhost.',
        ),
      );
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
