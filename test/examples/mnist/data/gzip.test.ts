import {gunzipSync, gzipSync} from 'node:zlib';
import {describe, expect, it} from 'vitest';
import {decompressed, gzipped, isGzipped} from '../../../../examples/mnist/data/gzip';

const bytes = Uint8Array.of(0, 0, 8, 3, 7);

describe('decompressed', () => {
  it('unzips what is gzipped, and leaves the rest', async () => {
    expect(await decompressed(gzipSync(bytes), 'f')).toEqual(bytes);
    expect(await decompressed(bytes, 'f')).toBe(bytes);
  });

  it('notices a bit that is wrong', async () => {
    const gzipped = gzipSync(new Uint8Array(1000).map((_, i) => i));
    gzipped.writeUInt8(gzipped.readUInt8(gzipped.length - 6) ^ 1, gzipped.length - 6);
    await expect(decompressed(gzipped, 'f')).rejects.toThrow(
      new Error(
        'decompressed: f must be a whole gzip file, got a damaged one (incorrect data check). Get the file again.',
      ),
    );
  });
});

describe('isGzipped', () => {
  it('goes by the first two bytes', () => {
    expect(isGzipped(gzipSync(bytes))).toBe(true);
    expect(isGzipped(bytes)).toBe(false);
    expect(isGzipped(Uint8Array.of(0x1f))).toBe(false);
    expect(isGzipped(new Uint8Array())).toBe(false);
  });
});

describe('gzipped', () => {
  it('is undone by gunzip', async () => {
    expect(Uint8Array.from(gunzipSync(await gzipped(bytes)))).toEqual(bytes);
  });
});
