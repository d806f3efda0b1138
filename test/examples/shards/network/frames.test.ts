import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type Frame, framed, frameReader} from '../../../../examples/shards/network/frames';
import {
  gradientsIn,
  gradientsPayload,
  lossesIn,
  lossesPayload,
  thresholdIn,
  thresholdPayload,
} from '../../../../examples/shards/network/payloads';
import {RUNS} from '../../../support/property';

const kind = fc.constantFrom<Frame['kind'][]>('hello', 'losses', 'gradients', 'state', 'bye', 'fail');
const frame = fc.record({
  kind,
  shard: fc.nat({max: 65_535}),
  step: fc.nat({max: 2 ** 31}),
  payload: fc.uint8Array({maxLength: 40}),
});

describe('Frames', () => {
  it('are found again, in whatever pieces their bytes come', () => {
    fc.assert(
      fc.property(fc.array(frame, {maxLength: 5}), fc.array(fc.nat({max: 30}), {maxLength: 40}), (frames, sizes) => {
        const bytes = Buffer.concat(frames.flatMap(framed));
        const read = frameReader(64);
        const found: Frame[] = [];
        let at = 0;
        for (const size of [...sizes, bytes.length]) {
          found.push(...read(bytes.subarray(at, at + size)));
          at = Math.min(at + size, bytes.length);
        }
        expect(found).toEqual(frames);
      }),
      RUNS,
    );
  });

  const good = () => Buffer.concat(framed({kind: 'hello', shard: 0, step: 0, payload: new Uint8Array(4)}));
  it.each([
    ['another protocol', (bytes: Buffer) => bytes.write('GET ', 0), 'begin with OHEM, got 0x47455420'],
    ['another version', (bytes: Buffer) => bytes.writeUInt8(9, 4), 'have the version 1, got 9'],
    ['another kind', (bytes: Buffer) => bytes.writeUInt8(77, 5), 'have a known kind, got 77'],
    [
      'a length that is none',
      (bytes: Buffer) => bytes.writeUInt32BE(2 ** 31, 12),
      'have at most 64 bytes, got 2147483648',
    ],
  ])('refuse %s', (_, spoil, message) => {
    const bytes = good();
    spoil(bytes);
    expect(() => frameReader(64)(bytes)).toThrow(`shards: a frame must ${message}.`);
    const named = frameReader(64, () => 'shard 3');
    expect(() => named(bytes)).toThrow(`shards: shard 3 must send frames that ${message}.`);
  });
});

describe('Payloads', () => {
  it('hold losses, a threshold and gradients', () => {
    const losses = {
      version: 1,
      shard: 2,
      step: 9,
      k: 3,
      model: 7,
      rows: 8,
      usable: 5,
      losses: Float32Array.of(3, 2.5, 1),
    };
    expect(lossesIn({shard: 2, step: 9, payload: lossesPayload(losses)})).toEqual(losses);
    for (const loss of [1.5, Number.POSITIVE_INFINITY]) {
      const threshold = {loss, rows: 20, counts: [3, 0, 4]};
      expect(thresholdIn({payload: thresholdPayload(threshold)})).toEqual(threshold);
    }
    const gradients = {kept: 3, gradients: Float32Array.of(-1, 0, 7)};
    expect(gradientsIn({payload: gradientsPayload(3, gradients.gradients)})).toEqual(gradients);
  });
});
