import {
  accuracySteps,
  fitOhem,
  type KeepSchedule,
  linear,
  percentileSampling,
  scheduled,
  type TrainingState,
  topK,
  window,
} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../../support/backends';
import {RESUMABLE, resumableData, resumableModel} from '../../support/resumable';
import {weightValues} from '../../support/tinyModel';

/** Keeps all rows until it is armed by a step, and half of them in the step after. */
const arming: KeepSchedule<null | {at: number}> = {
  init: () => null,
  ratio: (state) => (state ? 0.5 : 1),
  next: (state, {step}) => (state ? null : {at: step}),
};

describeOnBackends('The state of a selector in initialState', () => {
  const first = async (options: Partial<Parameters<typeof fitOhem>[3]>): Promise<TrainingState> => {
    const {xs, ys} = resumableData();
    return (await fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), ...options, epochs: 1})).state;
  };

  const remedy = 'Resume with the selector of the saved run.';
  it.each([
    ['linear', linear({from: 1, to: 0.5, steps: 4}), 'x', `be null for a schedule without a state, got x. ${remedy}`],
    ['window', window({start: 1, end: 5}), {divisor: 2}, 'be null for a schedule without a state'],
    ['accuracySteps', accuracySteps(), 'x', `be a state of the schedule of select, got x. ${remedy}`],
    ['accuracySteps, null', accuracySteps(), null, 'be a state of the schedule of select, got null.'],
  ])('is refused if it is none of its schedule: %s', async (_, schedule, state, message) => {
    const select = scheduled(topK, schedule as KeepSchedule);
    const initialState = {...(await first({select})), schedule: state};
    const [{xs, ys}, model] = [resumableData(), resumableModel()];
    const before = weightValues(model);
    const begun: string[] = [];
    const callbacks = {onTrainBegin: () => void begun.push('training')};
    await expect(fitOhem(model, xs, ys, {...RESUMABLE(), select, epochs: 2, initialState, callbacks})).rejects.toThrow(
      `fitOhem: schedule of initialState must ${message}`,
    );
    expect(begun).toEqual([]);
    expect(weightValues(model)).toEqual(before);
  });

  it.each([null, {at: 3}])('is taken from a schedule that has one at times: %j', async (schedule) => {
    const select = scheduled(topK, arming);
    const initialState = {...(await first({select})), schedule};
    const {xs, ys} = resumableData();
    const {history} = await fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), select, epochs: 2, initialState});
    expect(history.kept).toHaveLength(1);
  });

  it('is refused if it is an empty memory', async () => {
    const select = percentileSampling({power: 1, seed: 1});
    const initialState = {...(await first({select})), memory: {dtype: 'float32' as const, values: []}};
    const {xs, ys} = resumableData();
    await expect(fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), select, epochs: 2, initialState})).rejects.toThrow(
      'fitOhem: memory of initialState must hold a number, got none. Omit it to start without a memory.',
    );
  });
});
