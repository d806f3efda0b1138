import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {fromBase64, toBase64} from '../../src/insight/base64';
import {RUNS} from '../support/property';

describe('base64', () => {
  it('is what Node makes of the same bytes, and gives them back', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 40}), (bytes) => {
        const text = toBase64(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64'));
        expect(fromBase64(text)).toEqual(Uint8Array.from(bytes));
      }),
      RUNS,
    );
  });

  it.each(['A', 'AAA', '****', 'A=AA', 'AAAé', '===='])('is not %s', (text) => {
    expect(fromBase64(text)).toBeUndefined();
  });
});
