import {describe, expect, it} from 'vitest';
import {DEFAULT_RUNS, parseRuns} from '../../../../examples/mnist/experiment/runs';

describe('parseRuns', () => {
  it('reads n/k as the k hardest of n, and n/k-random or n/k random as k of n at random', () => {
    expect(parseRuns('512/384,512/384-random, 64/64 random')).toEqual([
      {name: '512/384', n: 512, k: 384, rule: 'hardest'},
      {name: '512/384 random', n: 512, k: 384, rule: 'random'},
      {name: '64/64 random', n: 64, k: 64, rule: 'random'},
    ]);
  });

  it('reads the names that it gives', () => {
    const runs = parseRuns(DEFAULT_RUNS);
    expect(parseRuns(runs.map(({name}) => name).join(','))).toEqual(runs);
  });

  it('names a run by its numbers, however they are typed', () => {
    expect(parseRuns('0512/0384')[0]?.name).toBe('512/384');
  });

  it('has the four runs of the original and the random control by default', () => {
    expect(parseRuns(DEFAULT_RUNS).map(({name}) => name)).toEqual([
      '512/512',
      '1024/512',
      '512/384',
      '1024/128',
      '512/384 random',
    ]);
  });

  it.each([
    ['', 'nothing'],
    ['512/384,', 'nothing'],
    ['512', '512'],
    ['512/-1', '512/-1'],
    ['5.5/2', '5.5/2'],
    ['512/384-hard', '512/384-hard'],
    ['a/b', 'a/b'],
  ])('rejects "%s"', (text, got) => {
    expect(() => parseRuns(text)).toThrow(
      new RangeError(`parseRuns: text must be runs like 512/384 or 512/384-random, got ${got}.`),
    );
  });

  it.each(['384/512', '64/0', '0/0', '64/65-random'])('rejects the k of %s', (text) => {
    expect(() => parseRuns(text, 'mnist: --runs')).toThrow(
      new RangeError(`mnist: --runs must have k from 1 to n, got ${text}.`),
    );
  });

  it('rejects a run that is there twice', () => {
    expect(() => parseRuns('64/8 random,64/8,64/8-random')).toThrow(
      new RangeError('parseRuns: text must name each run once, got 64/8 random twice.'),
    );
  });
});
