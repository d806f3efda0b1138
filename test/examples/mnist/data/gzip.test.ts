import {gunzipSync, gzipSync} from 'node:zlib';
import {describe, expect, it} from 'vitest';
import {decompressed, gzipped, isGzipped} from '../../../../examples/mnist/data/gzip';

const bytes = Uint8Array.of(0, 0, 8, 3, 7);

/**
 * About a megabyte, of which 64 parts unpack to 16 MiB each: gzip files may follow one another in a
 * file.
 */
function gigabyteOfZeros(): Uint8Array {
  const part = gzipSync(new Uint8Array(2 ** 24));
  return Buffer.concat(Array.from({length: 64}, () => part));
}

describe('decompressed', () => {
  const anyLength = () => Number.POSITIVE_INFINITY;

  it('unzips what is gzipped, and leaves the rest', async () => {
    expect(await decompressed(gzipSync(bytes), 'f', anyLength)).toEqual(bytes);
    expect(await decompressed(bytes, 'f', anyLength)).toBe(bytes);
  });

  it('unzips what comes in several parts', async () => {
    const long = new Uint8Array(1e6).map((_, i) => i * i);
    expect(Buffer.compare(await decompressed(gzipSync(long), 'f', anyLength), long)).toBe(0);
  });

  it('lets the beginning say how long the file may be', async () => {
    const long = new Uint8Array(100).fill(7);
    const limitOf = (beginning: Uint8Array) => {
      expect(beginning.length).toBeGreaterThanOrEqual(16);
      expect(beginning[15]).toBe(7);
      return 99;
    };
    await expect(decompressed(gzipSync(long), 'f', limitOf)).rejects.toThrow(
      new RangeError(
        'decompressed: f must have at most 99 bytes when decompressed, got more. The file is too long: get it again.',
      ),
    );
    expect(await decompressed(gzipSync(long), 'f', () => 100)).toEqual(long);
  });

  it('unpacks a gigabyte of zeros no further than its limit', async () => {
    const zeros = gigabyteOfZeros();
    const before = process.memoryUsage().rss;
    await expect(decompressed(zeros, 'f', () => 1e6)).rejects.toThrow(/at most 1000000 bytes/);
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
  });

  it('notices a bit that is wrong', async () => {
    const gzipped = gzipSync(new Uint8Array(1000).map((_, i) => i));
    gzipped.writeUInt8(gzipped.readUInt8(gzipped.length - 6) ^ 1, gzipped.length - 6);
    await expect(decompressed(gzipped, 'f', anyLength)).rejects.toThrow(
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
