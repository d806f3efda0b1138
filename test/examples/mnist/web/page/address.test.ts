import {describe, expect, it} from 'vitest';
import {addressOf, readAddress} from '../../../../../examples/mnist/web/page/address';

describe('readAddress', () => {
  it('reads what is named, and nothing else', () => {
    expect(readAddress('?runs=512/384,512/384-random&lr=3e-4&other=1&steps=')).toEqual({
      runs: '512/384,512/384-random',
      lr: '3e-4',
    });
    expect(readAddress('')).toEqual({});
  });
});

describe('addressOf', () => {
  it('is read back as it was', () => {
    const settings = {runs: '64/8,64/8-random', lr: '0.001', steps: '60', seed: '1', backend: 'wasm', digits: '600'};
    expect(addressOf(settings)).toBe('?runs=64/8,64/8-random&lr=0.001&steps=60&seed=1&backend=wasm&digits=600');
    expect(readAddress(addressOf(settings))).toEqual(settings);
  });

  it('takes what would end it for what it is', () => {
    expect(readAddress(addressOf({lr: '1&seed=2'}))).toEqual({lr: '1&seed=2'});
    expect(addressOf({})).toBe('');
  });
});
