import {describe, expect, it} from 'vitest';
import {addressNote} from '../../../../../examples/mnist/web/page/addressNote';

describe('addressNote', () => {
  it('has nothing to say of an address that the page can use', () => {
    expect(addressNote([], 'drawn')).toEqual([]);
    expect(addressNote([], 'download')).toEqual([]);
  });

  it('lists what cannot be used, after what happens then', () => {
    expect(addressNote(['lr cannot be fast.'], 'drawn')).toEqual([
      'This address holds what the page cannot use; defaults stand in for it.',
      'lr cannot be fast.',
    ]);
  });

  it('tells a reader to choose the files that an address cannot have', () => {
    expect(addressNote([], 'files')).toEqual(['This run used files of its author: choose your own four.']);
  });
});
