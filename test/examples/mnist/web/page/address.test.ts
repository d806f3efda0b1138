import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {addressOf, inShort, readAddress} from '../../../../../examples/mnist/web/page/address';
import {RUNS} from '../../../../support/property';

describe('readAddress', () => {
  it('reads what is named', () => {
    expect(readAddress('?runs=512/384,512/384-random&lr=3e-4')).toEqual({
      settings: {runs: '512/384,512/384-random', lr: '3e-4'},
      unclear: [],
    });
    expect(readAddress('')).toEqual({settings: {}, unclear: []});
  });

  it('says what it does not understand, and takes the rest', () => {
    const {settings, unclear} = readAddress('?steps=10&batch=512&steps=20&seed=&lr=0.1');
    expect(settings).toEqual({steps: '10', lr: '0.1'});
    expect(unclear).toEqual([
      'This version of the page has no setting batch.',
      'steps occurs twice; the first one counts.',
      'seed has no value.',
    ]);
  });

  it('passes over marks that count visits', () => {
    expect(readAddress('?utm_source=mail&fbclid=1&ref=x')).toEqual({settings: {}, unclear: []});
  });

  it('never throws, and repeats no more than 40 characters of anything', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({minLength: 60}), (text, long) => {
        for (const search of [text, `?${text}`, `?%E0%A4%A=${text}`, `?${encodeURIComponent(long)}=1`]) {
          for (const sentence of readAddress(search).unclear) expect([...sentence].length).toBeLessThan(100);
        }
      }),
      RUNS,
    );
    expect(inShort('x'.repeat(50))).toBe(`${'x'.repeat(40)}…`);
    expect(inShort('')).toBe('""');
  });
});

describe('addressOf', () => {
  it('is read back as it was', () => {
    const settings = {runs: '64/8,64/8-random', lr: '0.001', steps: '60', seed: '1', backend: 'wasm', digits: '600'};
    expect(addressOf(settings)).toBe('?runs=64/8,64/8-random&lr=0.001&steps=60&seed=1&backend=wasm&digits=600');
    expect(readAddress(addressOf(settings))).toEqual({settings, unclear: []});
    expect(readAddress(addressOf({data: 'download'})).settings).toEqual({data: 'download'});
  });

  it('takes what would end it for what it is', () => {
    expect(readAddress(addressOf({lr: '1&seed=2'})).settings).toEqual({lr: '1&seed=2'});
    expect(addressOf({})).toBe('');
  });
});
