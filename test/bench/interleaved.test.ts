import {setBackend} from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import {beforeAll, describe, expect, it} from 'vitest';
import {type Contestant, interleaved, median} from '../../bench/interleaved';

describe('Contestants', () => {
  beforeAll(async () => {
    await setBackend('cpu');
  });

  it('take turns in both orders, each timed as often, but for the first round', async () => {
    const runs: string[] = [];
    const named = (name: string): Contestant => ({name, isSlow: true, run: () => void runs.push(name)});
    const timings = await interleaved(['A', 'B', 'C'].map(named), 3);
    expect(runs.join('')).toBe('ABCCBAABCCBA');
    expect(timings.map(({name, runs: timed}) => [name, timed])).toEqual([
      ['A', 3],
      ['B', 3],
      ['C', 3],
    ]);
  });

  it('are timed by the given clock, without what prepares them', async () => {
    let now = 0;
    const spend = (ms: number) => () => {
      now += ms;
    };
    const contestants = [3, 5].map((ms) => ({name: `${ms}`, isSlow: true, prepare: spend(100), run: spend(ms)}));
    const timings = await interleaved(contestants, 2, () => now);
    expect(timings.map(({ms}) => ms)).toEqual([3, 5]);
  });
});

it('median takes the middle of an even number of values', () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
});
