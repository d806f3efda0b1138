import type {Study} from '../kit/study';
import {benchResults} from './benchResults';
import type {SpeedRecord} from './record';
import {speedReport} from './report';

/** The committed times of steps, as a figure. */
export const speed: Study<SpeedRecord[]> = {
  name: 'speed',
  about: 'the time of a mined step by that of a plain one, for every model of the benchmark',
  seeds: 1,
  steps: 1,
  isRedrawn: true,
  ownData: 'Times that npm run bench has written to docs/results',
  settings: (steps) => ({steps}),
  async *train() {
    const records = await benchResults();
    yield 1;
    return records;
  },
  report: speedReport,
};
