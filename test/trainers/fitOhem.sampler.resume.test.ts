import {train} from '@tensorflow/tfjs-core';
import {
  earlyStopped,
  type FitOhemArgs,
  fitOhem,
  fitOhemDataset,
  hardestRows,
  infoBatch,
  randomSubset,
  resumeTraining,
  type Sampler,
  saveTraining,
  stale,
  type TrainingState,
} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {itemsOf} from '../support/indexedItems';
import {RESUMABLE, resumableData, resumableModel} from '../support/resumable';
import {shelf} from '../support/shelf';
import {weightValues} from '../support/tinyModel';
import {rotating, tinySampler} from '../support/tinySamplers';

const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value));

describeOnBackends('A resumed training run with a sampler', () => {
  it('ends at the same weights if it is killed in the middle of an epoch, twenty times', async () => {
    const {xs, ys} = resumableData();
    const args = (): FitOhemArgs => ({...RESUMABLE(), batchSize: 4, epochs: 6});
    for (const sampler of [rotating, () => infoBatch({delta: 1})]) {
      const whole = resumableModel();
      const undisturbed = await fitOhem(whole, xs, ys, {...args(), sampler: sampler()});
      const {save, saved, at} = shelf();
      const optimizer = train.adam(0.05);
      let model = resumableModel(optimizer);
      let initialState: TrainingState | undefined;
      for (let killed = 0; killed < 20; killed++) {
        // It is saved after each update, and dies in the next one.
        const checkpoint = async (state: TrainingState) => {
          await saveTraining({save}, model, state);
          if (state.step > 2 * killed + 1) throw new Error('killed');
        };
        const run = fitOhem(model, xs, ys, {
          ...args(),
          sampler: sampler(),
          initialState,
          checkpoint,
          checkpointEvery: 1,
        });
        await expect(run).rejects.toThrow('killed');
        model = resumableModel(train.adam(0.05));
        initialState = await resumeTraining(at(saved.length - 1), model);
      }
      const resumed = await fitOhem(model, xs, ys, {...args(), sampler: sampler(), initialState});
      expect(weightValues(model)).toEqual(weightValues(whole));
      expect(resumed.state).toEqual(undisturbed.state);
    }
  });

  it('is refused with other options, of the sampler or of the one inside it', async () => {
    const {xs, ys} = resumableData();
    const args = {...RESUMABLE(), epochs: 2};
    const resumed = async (before: Sampler, after: Sampler) => {
      const {state} = await fitOhem(resumableModel(), xs, ys, {...args, sampler: before});
      const initialState = throughJson(state);
      return fitOhem(resumableModel(), xs, ys, {...args, epochs: 3, sampler: after, initialState});
    };
    await expect(resumed(earlyStopped({window: 2}), earlyStopped({window: 4}))).rejects.toThrow(
      'fitOhem: sampler must be earlyStopped({"threshold":0.001,"window":2,"rescoreEvery":1,"delta":1}), as in ' +
        'initialState, got earlyStopped({"threshold":0.001,"window":4,"rescoreEvery":1,"delta":1}).',
    );
    const [hardest, early] = [stale(hardestRows({ratio: 0.5})), stale(earlyStopped())];
    await expect(resumed(hardest, early)).rejects.toThrow(
      'fitOhem: sampler must be stale({"every":3,"inner":"hardestRows","innerOptions":{"ratio":0.5,"delta":1}}), ' +
        'as in initialState, got stale({"every":3,"inner":"earlyStopped",',
    );
    const [twice, rarer] = [2, 5].map((every) => stale(stale(hardestRows({ratio: 0.5}), {every: 2}), {every}));
    await expect(resumed(twice as Sampler, rarer as Sampler)).rejects.toThrow(
      'fitOhem: sampler must be stale({"every":2,"inner":"stale",',
    );
    const {history} = await resumed(hardest, stale(hardestRows({ratio: 0.5}), {every: 3}));
    expect(history.rows).toEqual([20]);
    const stratified = (classOf: (row: number) => number) =>
      randomSubset({ratio: 0.5, stratify: Array.from({length: 40}, (_, row) => classOf(row))});
    await expect(
      resumed(
        stratified((row) => row % 2),
        stratified((row) => (row < 20 ? 0 : 1)),
      ),
    ).rejects.toThrow(
      /^fitOhem: sampler must be randomSubset\(\{"ratio":0.5,"classes":2,"rowsOfClasses":\d+,.*\), as in initialState, got randomSubset\(/,
    );
    // Other names of the same classes choose the same rows.
    await resumed(
      stratified((row) => row % 2),
      stratified((row) => 7 - (row % 2)),
    );
    // A state of an earlier version does not say with which options.
    const {state} = await fitOhem(resumableModel(), xs, ys, {...args, sampler: infoBatch()});
    const {text: _, ...older} = state.sampler as Record<string, unknown>;
    const initialState = {...throughJson(state), sampler: older};
    await fitOhem(resumableModel(), xs, ys, {...args, epochs: 3, sampler: infoBatch({ratio: 0.3}), initialState});
  });

  it('resumes from a state that went through JSON, before, in and behind the rows that are scored', async () => {
    const {xs, ys} = resumableData();
    const args = (): FitOhemArgs => ({...RESUMABLE(), epochs: 3});
    const whole = resumableModel();
    const undisturbed = await fitOhem(whole, xs, ys, {...args(), sampler: rotating()});
    // Three batches an epoch, of which rows are scored at the end.
    for (const stopAt of [1, 3, 4, 6]) {
      const model = resumableModel();
      const abort = new AbortController();
      let steps = 0;
      const onBatchEnd = () => {
        if (++steps === stopAt) abort.abort();
      };
      const stopped = {...args(), sampler: rotating(), signal: abort.signal, callbacks: {onBatchEnd}};
      const {state} = await fitOhem(model, xs, ys, stopped);
      const resumed = await fitOhem(model, xs, ys, {...args(), sampler: rotating(), initialState: throughJson(state)});
      expect(weightValues(model)).toEqual(weightValues(whole));
      expect(resumed.state).toEqual(undisturbed.state);
    }
  });

  it('does so for a dataset too, which gives the batches that are done once more', async () => {
    const items = itemsOf(resumableData(), 7);
    const args = {...RESUMABLE(), epochs: 3, rows: 40};
    const {batchSize: _, ...options} = args;
    const whole = resumableModel();
    const undisturbed = await fitOhemDataset(whole, items, {...options, sampler: rotating()});
    for (const stopAt of [2, 4, 5]) {
      const model = resumableModel();
      const abort = new AbortController();
      let steps = 0;
      const onBatchEnd = () => {
        if (++steps === stopAt) abort.abort();
      };
      const stopped = {...options, select: RESUMABLE().select as never, sampler: rotating()};
      const {state} = await fitOhemDataset(model, items, {...stopped, signal: abort.signal, callbacks: {onBatchEnd}});
      const again = {...options, select: RESUMABLE().select as never, sampler: rotating()};
      const resumed = await fitOhemDataset(model, items, {...again, initialState: throughJson(state)});
      expect(weightValues(model)).toEqual(weightValues(whole));
      expect(resumed.state).toEqual(undisturbed.state);
    }
  });

  it('resumes in later epochs with another sampler, but not in the middle of one', async () => {
    const {xs, ys} = resumableData();
    const {state} = await fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), epochs: 1, sampler: rotating()});
    await fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), epochs: 2, initialState: state});
    const other = {...RESUMABLE(), epochs: 2, initialState: state, sampler: infoBatch()};
    await expect(fitOhem(resumableModel(), xs, ys, other)).rejects.toThrow(
      'fitOhem: sampler must be tiny, as in initialState, got infoBatch.',
    );
    const fewer = {...RESUMABLE(), epochs: 2, initialState: state, sampler: rotating(), validationSplit: 0.5};
    await expect(fitOhem(resumableModel(), xs, ys, fewer)).rejects.toThrow(
      'fitOhem: rows must be as many as in initialState, 40, got 20.',
    );
    const budget = {rows: 12};
    const {state: inside} = await fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), budget, sampler: rotating()});
    const without = {...RESUMABLE(), initialState: inside};
    await expect(fitOhem(resumableModel(), xs, ys, without)).rejects.toThrow(
      'fitOhem: sampler must be given, as in epoch 0 of initialState, got undefined.',
    );
    const {state: plain} = await fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), budget});
    const withOne = {...RESUMABLE(), initialState: plain, sampler: rotating()};
    await expect(fitOhem(resumableModel(), xs, ys, withOne)).rejects.toThrow(
      'fitOhem: sampler must be left out, as in epoch 0 of initialState,',
    );
  });

  it('names what is damaged, and changes nothing then', async () => {
    const {xs, ys} = resumableData();
    const budget = {rows: 12};
    const {state} = await fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), budget, sampler: rotating()});
    const damaged = (change: (sampler: {scores: {losses: {base64: string}}; epoch: {chosen: object}}) => void) => {
      const copy = throughJson(state);
      change(copy.sampler as never);
      return fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), sampler: rotating(), initialState: copy});
    };
    const short = damaged(({scores}) => {
      scores.losses.base64 = scores.losses.base64.slice(8);
    });
    await expect(short).rejects.toThrow(
      'fitOhem: losses of sampler in initialState must hold 40 numbers, got others. It was truncated or changed.',
    );
    const wrong = damaged(({epoch}) => {
      epoch.chosen = {rows: {$ohem: 'Int32Array', base64: 'KAAAAA=='}};
    });
    await expect(wrong).rejects.toThrow('fitOhem: rows of sampler tiny must be from 0 to 39, got 40 at position 0.');
  });

  it('has fewer than six characters a row for the losses', async () => {
    const {xs, ys} = resumableData();
    const {state} = await fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), epochs: 1, sampler: tinySampler()});
    const {scores} = state.sampler as {scores: {losses: {base64: string}}};
    expect(scores.losses.base64.length).toBeLessThan(6 * 40);
  });
});
