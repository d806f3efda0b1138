import {memory, tensor1d, tidy} from '@tensorflow/tfjs-core';
import {
  all,
  type FitOhemArgs,
  fitOhem,
  percentileSampling,
  resumeTraining,
  type Selector,
  saveTraining,
  type TrainingState,
} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RESUMABLE, resumableData, resumableModel} from '../support/resumable';
import {shelf} from '../support/shelf';
import {weightValues} from '../support/tinyModel';

/** Compares losses with those of the last 100 rows, of which some do not count. */
const sampling = (): FitOhemArgs => ({
  ...RESUMABLE(),
  select: percentileSampling({power: 1, historyLength: 100, minProbability: 0.1, seed: 3}),
  context: {valid: tensor1d(Array.from({length: 40}, (_, row) => (row % 7 === 0 ? 0 : 1)))},
});

describeOnBackends('fitOhem with a selector that remembers', () => {
  it('ends bit for bit where it would have ended when it is resumed', async () => {
    const {xs, ys} = resumableData();
    const {saved, save, at} = shelf();
    const whole = resumableModel();
    const checkpoint = (state: TrainingState) => saveTraining({save}, whole, state);
    const undisturbed = await fitOhem(whole, xs, ys, {...sampling(), checkpoint, checkpointEvery: 3});
    expect(saved).toHaveLength(6);
    for (const i of [0, 2, 5]) {
      const model = resumableModel();
      const initialState = await resumeTraining(at(i), model);
      expect(initialState?.memory?.values).toContain('NaN');
      const resumed = await fitOhem(model, xs, ys, {...sampling(), initialState});
      expect(weightValues(model)).toEqual(weightValues(whole));
      expect(resumed.state).toEqual(undisturbed.state);
      if (i === 5) continue;
      // It would not without what was remembered, if steps follow in which that matters.
      const forgetful = resumableModel();
      const {memory: _, ...place} = (await resumeTraining(at(i), forgetful)) as TrainingState;
      await fitOhem(forgetful, xs, ys, {...sampling(), initialState: place});
      expect(weightValues(forgetful)).not.toEqual(weightValues(whole));
    }
  });

  it('keeps the type of what is remembered, and numbers that JSON does not know', async () => {
    const {xs, ys} = resumableData();
    const seen: unknown[] = [];
    const counting = (first: () => ReturnType<typeof tensor1d>): Selector =>
      Object.assign(
        ((losses, context) => {
          if (context?.memory) seen.push([context.memory.dtype, ...context.memory.dataSync()]);
          return all()(losses, context);
        }) as Selector,
        {remember: (_: unknown, context?: Parameters<Selector>[1]) => context?.memory ?? tidy(first)},
      );
    for (const first of [
      () => tensor1d([3, -4], 'int32'),
      () => tensor1d([true, false], 'bool'),
      () => tensor1d([0.1, Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]),
    ]) {
      const options = (): FitOhemArgs => ({...RESUMABLE(), backward: 'masked', select: counting(first)});
      const model = resumableModel();
      const {state} = await fitOhem(model, xs, ys, {...options(), epochs: 1});
      const before = seen.at(-1);
      seen.length = 0;
      await fitOhem(model, xs, ys, {...options(), epochs: 2, initialState: JSON.parse(JSON.stringify(state))});
      expect(seen[0]).toEqual(before);
      expect(seen).toHaveLength(4);
    }
  });

  it('leaves no tensor behind, also when something throws', async () => {
    const {xs, ys} = resumableData();
    const model = resumableModel();
    const options = sampling();
    const {state} = await fitOhem(model, xs, ys, options);
    const before = memory();
    const onBatchEnd = (batch: number) => {
      if (batch === 2) throw new Error('no callback today');
    };
    const again = {...options, initialState: {...state, epoch: 0, batch: 0}};
    await expect(fitOhem(model, xs, ys, {...again, callbacks: {onBatchEnd}})).rejects.toThrow('no callback today');
    await fitOhem(model, xs, ys, again);
    expect([memory().numTensors, memory().numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
  });

  it('forgets a memory that the selector of the resumed training has no use for', async () => {
    const {xs, ys} = resumableData();
    const {state} = await fitOhem(resumableModel(), xs, ys, {...sampling(), epochs: 1});
    const seen: unknown[] = [];
    const select: Selector = (losses, context) => {
      seen.push(context?.memory);
      return all()(losses, context);
    };
    const model = resumableModel();
    await fitOhem(model, xs, ys, {...RESUMABLE(), select, epochs: 2, initialState: state});
    expect(seen.every((memoryOf) => memoryOf === undefined)).toBe(true);
  });
});
