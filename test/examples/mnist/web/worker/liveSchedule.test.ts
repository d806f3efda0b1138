import {describe, expect, it} from 'vitest';
import {isMeasured, isPictured} from '../../../../../examples/mnist/experiment/schedule';
import {LIVE_SCHEDULE} from '../../../../../examples/mnist/web/worker/liveSchedule';

const stepsOf = (due: (step: number, steps: number) => boolean, steps: number) =>
  Array.from({length: steps}, (_, step) => step + 1).filter((step) => due(step, steps));

describe('LIVE_SCHEDULE', () => {
  it('measures after the first few steps', () => {
    expect(stepsOf(LIVE_SCHEDULE.isMeasured, 300).slice(0, 6)).toEqual([1, 2, 5, 10, 20, 30]);
  });

  it.each([5, 300, 600, 2500])('measures whenever the experiment does, of %i steps', (steps) => {
    const live = stepsOf(LIVE_SCHEDULE.isMeasured, steps);
    expect(live).toEqual(expect.arrayContaining(stepsOf(isMeasured, steps)));
    expect(live.filter((step) => step > 20)).toEqual(stepsOf(isMeasured, steps).filter((step) => step > 20));
    expect(stepsOf(LIVE_SCHEDULE.isPictured, steps)).toEqual(stepsOf(isPictured, steps));
  });
});
