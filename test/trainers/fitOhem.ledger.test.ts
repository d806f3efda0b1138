import {memory, slice, train} from '@tensorflow/tfjs-core';
import {categoricalCrossentropy, fitOhem, miningLedger, ohemStep, topK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RESUMABLE, resumableData, resumableModel} from '../support/resumable';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const loss = categoricalCrossentropy();
const OPTIONS = {loss, select: topK({k: 1}), batchSize: 2, verbose: 0} as const;

describeOnBackends('fitOhem with a mining ledger', () => {
  it('enters what a loop of ohemStep would have let it observe', async () => {
    const [ofFit, ofLoop] = [miningLedger(6), miningLedger(6)];
    const [xs, ys, model] = [tinyXs(), tinyYs(), tinyModel()];
    await fitOhem(tinyModel(), xs, ys, {
      ...OPTIONS,
      optimizer: train.sgd(0.1),
      shuffle: false,
      epochs: 3,
      ledger: ofFit,
    });
    const step = ohemStep(model, {loss, select: OPTIONS.select, optimizer: train.sgd(0.1)});
    for (let i = 0; i < 9; i++) {
      const first = 2 * (i % 3);
      const report = step(slice(xs, [first, 0], [2, 2]), slice(ys, [first, 0], [2, 2]));
      await ofLoop.observe([first, first + 1], report);
      report.dispose();
    }
    expect(ofFit.toJSON()).toEqual(ofLoop.toJSON());
    // The rows that the model gets wrong.
    expect([...ofFit.suspects(2)].sort()).toEqual([3, 5]);
  });

  it('counts every row of a shuffled data set once an epoch, and as mined what was kept', async () => {
    const {xs, ys} = resumableData();
    const ledger = miningLedger(40);
    const {history} = await fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), ledger});
    const rows = Array.from({length: 40}, (_, row) => row);
    expect(rows.map(ledger.seen)).toEqual(rows.map(() => 5));
    const mined = rows.reduce((sum, row) => sum + ledger.mined(row), 0);
    expect(mined).toBe((history.kept as number[]).reduce((sum, kept) => sum + kept, 0));
    expect(rows.every((row) => Number.isFinite(ledger.lastLoss(row)))).toBe(true);
  });

  it('is in the state, and resumes from there to the bit', async () => {
    const {xs, ys} = resumableData();
    const whole = miningLedger(40);
    const undisturbed = await fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), ledger: whole});
    expect(undisturbed.state.ledger).toEqual(whole.toJSON());
    const model = resumableModel();
    const abort = new AbortController();
    let steps = 0;
    const onBatchEnd = () => {
      if (++steps === 6) abort.abort();
    };
    const stopped = {...RESUMABLE(), ledger: miningLedger(40), signal: abort.signal, callbacks: {onBatchEnd}};
    const initialState = JSON.parse(JSON.stringify((await fitOhem(model, xs, ys, stopped)).state));
    const ledger = miningLedger.fromJSON(initialState.ledger);
    const resumed = await fitOhem(model, xs, ys, {...RESUMABLE(), ledger, initialState});
    expect(ledger.toJSON()).toEqual(whole.toJSON());
    expect(resumed.state).toEqual(undisturbed.state);
  });

  it('refuses one with too few rows before anything is trained', async () => {
    const [xs, ys, model] = [tinyXs(), tinyYs(), tinyModel()];
    const [weights, before] = [weightValues(model), memory().numTensors];
    const options = {...OPTIONS, optimizer: train.sgd(0.1), ledger: miningLedger(5)};
    await expect(fitOhem(model, xs, ys, options)).rejects.toThrow('fitOhem: ledger must have room for 6 rows, got 5.');
    expect([weightValues(model), memory().numTensors - before]).toEqual([weights, 1]);
    // Those that are held out are not trained on.
    await fitOhem(model, xs, ys, {...options, validationSplit: 0.2});
  });
});
