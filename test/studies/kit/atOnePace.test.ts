import {expect, it} from 'vitest';
import {atOnePace} from '../../../studies/kit/atOnePace';
import type {ArmRecord} from '../../../studies/kit/trainTogether';

const seed = (...times: number[]) => times.map((msPerStep, arm) => ({name: `arm ${arm}`, msPerStep}) as ArmRecord);

it('atOnePace leaves how the arms of a seed compare, and takes out how busy the machine was', () => {
  const paced = atOnePace([seed(80, 40, 120), seed(120, 90, 180)]);
  expect(paced.map((arms) => arms.map(({msPerStep}) => msPerStep))).toEqual([
    [100, 50, 150],
    [100, 75, 150],
  ]);
  expect(paced[1]?.[2]?.name).toBe('arm 2');
});

it('atOnePace leaves a single seed as it is', () => {
  expect(atOnePace([seed(80, 40)])).toEqual([seed(80, 40)]);
});
