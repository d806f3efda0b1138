import {describe, expect, it} from 'vitest';
import type {Run} from '../../../../examples/mnist/experiment/results';
import {runStyles} from '../../../../examples/mnist/report/runStyle';

const run = (name: string): Run => ({name, n: 512, k: 384, rule: name.includes('random') ? 'random' : 'hardest'});
const ORIGINAL = ['512/512', '1024/512', '512/384', '1024/128'].map(run);

describe('runStyles', () => {
  it.each(['light', 'dark'] as const)('tells the reference runs apart by colour and by dashes on %s pages', (theme) => {
    const styles = runStyles([...ORIGINAL, run('512/384 random')], theme);
    expect(new Set(styles.map(({color}) => color)).size).toBe(5);
    expect(new Set(styles.map(({dash}) => dash.join())).size).toBe(5);
  });

  it('gives a run of the original its colour, whatever runs stand beside it', () => {
    const alone = runStyles(ORIGINAL.slice(2, 3), 'light');
    expect(runStyles(ORIGINAL, 'light')[2]).toEqual(alone[0]);
  });

  it('gives other runs colours that no other has', () => {
    const names = ['8/1', '8/2', '8/3', '8/4', '512/512'].map(run);
    expect(new Set(runStyles(names, 'light').map(({color}) => color)).size).toBe(5);
  });

  it('tells a run from another of the same name', () => {
    const [first, second] = runStyles([run('512/512'), run('512/512')], 'light');
    expect(first).not.toEqual(second);
  });

  it('draws random controls in dashes', () => {
    for (const {dash} of runStyles([run('a random'), run('b random')], 'light')) {
      expect(dash).not.toEqual([]);
    }
  });
});
