import {add, mul, oneHot, pad, randomNormal, tensor, tensor1d, tidy, train} from '@tensorflow/tfjs-core';
import {
  accuracySteps,
  type FitOhemArgs,
  fitOhem,
  linear,
  mapSelector,
  percentileSampling,
  type Selector,
  scheduled,
  type TrainingState,
  topK,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RESUMABLE, resumableData, resumableModel} from '../support/resumable';
import {weightValues} from '../support/tinyModel';

/** 48 rows, four batches of 12; the labels can be read from the first three features. */
const easyData = () =>
  tidy(() => {
    const labels = tensor1d(
      Array.from({length: 48}, (_, row) => row % 3),
      'int32',
    );
    const [ys, noise] = [oneHot(labels, 3), randomNormal([48, 4], 0, 0.1, 'float32', 3)];
    const signal = pad(mul(4, ys), [
      [0, 0],
      [0, 1],
    ]);
    return {xs: add(noise, signal), ys};
  });

const OPTIONS = {batchSize: 12, verbose: 0, seed: 'run'} as const;

describeOnBackends('fitOhem with a scheduled selector', () => {
  /**
   * Checkpoints of a whole training run, and the weights at which each run ends that resumes from
   * one of them.
   */
  const resumedFromAll = async (args: () => FitOhemArgs) => {
    const {xs, ys} = easyData();
    const states: {state: string; weights: number[][]}[] = [];
    const [whole, optimizer] = [resumableModel(train.sgd(0.3)), () => train.sgd(0.3)];
    const checkpoint = (state: TrainingState) =>
      void states.push({state: JSON.stringify(state), weights: weightValues(whole)});
    const undisturbed = await fitOhem(whole, xs, ys, {...OPTIONS, ...args(), checkpoint, checkpointEvery: 3});
    for (const {state, weights} of states) {
      const model = resumableModel(optimizer());
      const before = model.getWeights();
      model.setWeights(weights.map((values, i) => tensor(values, before[i]?.shape)));
      const resumed = await fitOhem(model, xs, ys, {...OPTIONS, ...args(), initialState: JSON.parse(state)});
      expect(weightValues(model)).toEqual(weightValues(whole));
      expect(resumed.state).toEqual(undisturbed.state);
      const last = ({history}: typeof resumed) => history.kept?.at(-1);
      expect(last(resumed)).toBe(last(undisturbed));
    }
    return {...undisturbed, states: states.map(({state}) => JSON.parse(state) as TrainingState)};
  };

  it('keeps fewer rows from step to step as linear says, also when it is resumed', async () => {
    const schedule = linear({from: 1, to: 0.25, steps: 6});
    const args = () => ({epochs: 3, select: scheduled(topK, schedule)});
    const {history} = await resumedFromAll(args);
    const keptAt = (step: number) => Math.round(12 * schedule.ratio(null, {step}));
    const expected = [0, 1, 2].map((epoch) => [0, 1, 2, 3].reduce((sum, batch) => sum + keptAt(4 * epoch + batch), 0));
    expect(history.kept).toEqual(expected);
  });

  it('divides the batch by what accuracySteps says of the accuracy of each epoch, also when it is resumed', async () => {
    const schedule = accuracySteps([
      [0.5, 2],
      [0.9, 4],
    ]);
    const args = () => ({epochs: 8, select: scheduled(topK, schedule)});
    const {history, state, states} = await resumedFromAll(args);
    let divisor = 1;
    for (const [epoch, accuracy] of (history.acc as number[]).entries()) {
      expect([epoch, history.kept?.[epoch]]).toEqual([epoch, 4 * Math.round(12 / divisor)]);
      divisor = schedule.next({divisor}, {step: 0, accuracy}).divisor;
    }
    expect(state.schedule).toEqual({divisor: 4});
    expect(new Set(states.map(({schedule: at}) => (at as {divisor: number}).divisor)).size).toBeGreaterThan(1);
  });

  it('refuses a wrapper that loses the schedule, and keeps it through mapSelector', async () => {
    const {xs, ys} = resumableData();
    const select = scheduled(topK, linear({from: 1, to: 0.25, steps: 6}));
    const options = {...RESUMABLE(), epochs: 2};
    const wrapped: Selector = (losses, context) => select(losses, context);
    await expect(fitOhem(resumableModel(), xs, ys, {...options, select: wrapped})).rejects.toThrow(
      'scheduled: schedule must be in the context, got undefined. Pass {schedule: select.schedule.init()} with the ' +
        'first batch. To wrap the selector, use mapSelector, which keeps its state.',
    );
    const seen: number[] = [];
    const mapped = mapSelector(select, (selection) => {
      seen.push(selection.indices.size);
      return selection;
    });
    const [plain, other] = [
      await fitOhem(resumableModel(), xs, ys, {...options, select}),
      await fitOhem(resumableModel(), xs, ys, {...options, select: mapped}),
    ];
    expect(other.history.kept).toEqual(plain.history.kept);
    expect(new Set(seen).size).toBeGreaterThan(2);
  });

  describe('that remembers as well', () => {
    it('is resumed with both', async () => {
      const powers = ({ratio}: {ratio: number}) =>
        percentileSampling({power: 1 / ratio, historyLength: 20, minProbability: 0.1, seed: 2});
      const args = () => ({epochs: 3, select: scheduled(powers, linear({from: 1, to: 0.25, steps: 9}))});
      const {states} = await resumedFromAll(args);
      expect(states.map(({memory}) => memory?.values.length)).toEqual([20, 20, 20, 20]);
    });
  });
});
