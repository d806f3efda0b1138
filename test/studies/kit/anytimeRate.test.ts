import {expect, it} from 'vitest';
import {anytimeRate} from '../../../studies/kit/anytimeRate';

it('anytimeRate rises over the first steps, and falls by the root of all later ones', () => {
  const rate = anytimeRate({from: 0.02, warmupSteps: 10});
  expect([0, 4, 9, 39, 999].map((step) => Number(rate(step).toFixed(6)))).toEqual([0.002, 0.01, 0.02, 0.01, 0.002]);
});
