import {describe, expect, it} from 'vitest';
import {DEFAULT_RUNS, parseRuns} from '../../../../../examples/mnist/experiment/runs';
import {comparedRuns} from '../../../../../examples/mnist/web/page/comparedRuns';
import {FIRST_RUN} from '../../../../../examples/mnist/web/page/firstRun';

const names = (text: string, preferred?: number) => {
  const runs = parseRuns(text);
  const {mined, full, random} = comparedRuns(runs, preferred === undefined ? undefined : runs[preferred]) ?? {};
  return [mined?.name, full?.name, random?.name];
};

describe('comparedRuns', () => {
  it('compares the mined run with one that learns from all and one that learns from as many by chance', () => {
    expect(names(FIRST_RUN.runs.join(','))).toEqual(['64/48', '64/64', '64/48 random']);
    expect(names(DEFAULT_RUNS)).toEqual(['512/384', '512/512', '512/384 random']);
  });

  it('takes the preferred run if it mines', () => {
    expect(names(DEFAULT_RUNS, 3)).toEqual(['1024/128', '512/512', undefined]);
    expect(names(DEFAULT_RUNS, 0)).toEqual(['512/384', '512/512', '512/384 random']);
  });

  it('calls no run a counterpart that keeps another number of rows', () => {
    expect(names('8/4,8/2-random,16/4-random')).toEqual(['8/4', undefined, undefined]);
  });

  it('has nothing to compare if no run mines', () => {
    expect(comparedRuns(parseRuns('8/8,8/4-random'))).toBeUndefined();
    expect(comparedRuns([])).toBeUndefined();
  });
});
