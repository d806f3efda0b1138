import {describe, expect, it} from 'vitest';
import {startsItself, type Visit} from '../../../../../examples/mnist/web/page/selfStart';

const visit: Visit = {isFirstRun: true, reducesMotion: false, savesData: false, isHidden: false, isSlow: false};

describe('startsItself', () => {
  it('is true of a plain visit', () => {
    expect(startsItself(visit)).toBe(true);
  });

  it.each(['reducesMotion', 'savesData', 'isHidden', 'isSlow'] as const)('is false if the visit %s', (name) => {
    expect(startsItself({...visit, [name]: true})).toBe(false);
  });

  it('is false if the address sets anything', () => {
    expect(startsItself({...visit, isFirstRun: false})).toBe(false);
  });
});
