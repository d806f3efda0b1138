import {MathBackendCPU} from '@tensorflow/tfjs-backend-cpu';
import {
  cast,
  copyRegisteredKernels,
  getBackend,
  greater,
  mean,
  memory,
  mul,
  registerBackend,
  removeBackend,
  scalar,
  setBackend,
  sum,
  Tensor,
  tensor1d,
  tensor2d,
  train,
} from '@tensorflow/tfjs-core';
import {CustomCallback, callbacks, type Logs} from '@tensorflow/tfjs-layers';
import {
  all,
  type FitCallback,
  fitOhem,
  fitOhemDataset,
  type Ledger,
  miningLedger,
  type Selector,
  topK,
} from 'ohem-tfjs';
import {describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {RESUMABLE, resumableData, resumableModel, scheduledDraw} from '../support/resumable';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const compiled = () => {
  const model = tinyModel();
  model.compile({optimizer: train.sgd(0.1), loss: 'categoricalCrossentropy', metrics: ['accuracy']});
  return model;
};

/** The share of positives with more than half of the probability. */
const recall = (yTrue: Tensor, yPred: Tensor) => mean(cast(greater(sum(mul(yTrue, yPred), -1), 0.5), 'float32'));
const OPTIONS = {batchSize: 2, shuffle: false, verbose: 0} as const;

describeOnBackends('fitOhem', (backend) => {
  it('takes null in a context for what is not given', async () => {
    const whole = await fitOhem(compiled(), tinyXs(), tinyYs(), {...OPTIONS, select: all()});
    const context = {valid: null, positive: undefined};
    const {history} = await fitOhem(compiled(), tinyXs(), tinyYs(), {...OPTIONS, select: all(), context});
    expect(history).toEqual(whole.history);
  });

  it('takes null in an item of a dataset for what is not given', async () => {
    const items = [{xs: tinyXs(), ys: tinyYs(), index: null, sampleWeight: null, valid: null}];
    const {history} = await fitOhemDataset(compiled(), items as never, {verbose: 0, select: all()});
    expect(history.kept).toEqual([6]);
    const ledger = miningLedger(6);
    await expect(fitOhemDataset(compiled(), items as never, {verbose: 0, ledger})).rejects.toThrow(
      'fitOhemDataset: dataset must give items {xs, ys, index} for a ledger, got one without index.',
    );
  });

  describe('calls callbacks', () => {
    it('of every kind, in one list, in their order, with the logs of tfjs', async () => {
      const calls: string[] = [];
      const noting = (who: string, logs: string[]) => ({
        onTrainBegin: () => void calls.push(`${who} train`),
        onBatchEnd: (batch: number, seen?: Logs) => void calls.push(`${who} batch ${batch} ${Object.keys(seen ?? {})}`),
        onEpochEnd: (epoch: number, seen?: Logs) => {
          calls.push(`${who} epoch ${epoch}`);
          logs.push(...Object.keys(seen ?? {}));
        },
        onTrainEnd: () => void calls.push(`${who} end`),
      });
      const logs: string[] = [];
      const instance = new CustomCallback(noting('instance', []), 'never');
      const list: FitCallback[] = [noting('plain', logs), instance, callbacks.earlyStopping({monitor: 'loss'})];
      await fitOhem(compiled(), tinyXs(), tinyYs(), {...OPTIONS, batchSize: 4, callbacks: list, validationSplit: 0.4});
      const batchLogs = 'batch,size,loss,batchLoss,kept,acc';
      expect(calls).toEqual(
        ['train', `batch 0 ${batchLogs}`, 'epoch 0', 'end'].flatMap((what) => [`plain ${what}`, `instance ${what}`]),
      );
      expect(logs).toEqual(['loss', 'batchLoss', 'kept', 'acc', 'val_loss', 'val_acc']);
    });

    it('and lets early stopping end the training', async () => {
      const model = compiled();
      const list = [callbacks.earlyStopping({monitor: 'val_loss', patience: 1}), {onEpochEnd: () => {}}];
      const worse = tinyYs();
      const validationData: [Tensor, Tensor] = [tinyXs(), tensor2d([0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0], [6, 2])];
      const {epoch, history} = await fitOhem(model, tinyXs(), worse, {
        ...OPTIONS,
        epochs: 9,
        callbacks: list,
        validationData,
      });
      const losses = history.val_loss as number[];
      expect(epoch.length).toBeLessThan(9);
      expect(losses.at(-1)).toBeGreaterThanOrEqual(losses.at(-2) as number);
    });

    it('and stops where one says so, in the middle of an epoch', async () => {
      const model = compiled();
      const onBatchEnd = (batch: number) => {
        model.stopTraining = batch === 1;
      };
      const {epoch, history, state} = await fitOhem(model, tinyXs(), tinyYs(), {
        ...OPTIONS,
        epochs: 3,
        callbacks: {onBatchEnd},
        validationSplit: 0.01,
        batchSize: 1,
      });
      expect([epoch, history.kept, state.batch]).toEqual([[0], [2], 2]);
      expect(history).not.toHaveProperty('val_loss');
    });

    it('and calls onYield when it is time', async () => {
      const onYield = vi.fn();
      await fitOhem(compiled(), tinyXs(), tinyYs(), {...OPTIONS, epochs: 30, callbacks: {onYield}, yieldEvery: 1});
      expect(onYield).toHaveBeenCalled();
    });
  });

  it('lets others run after every batch or epoch', async () => {
    for (const [yieldEvery, turns] of [
      ['batch', 6],
      ['epoch', 2],
      ['never', 0],
    ] as const) {
      let taken = 0;
      let isDone = false;
      const others = () => {
        if (isDone) return;
        taken++;
        setImmediate(others);
      };
      setImmediate(others);
      await fitOhem(compiled(), tinyXs(), tinyYs(), {...OPTIONS, epochs: 2, yieldEvery});
      isDone = true;
      if (turns === 0) expect(taken).toBe(0);
      else expect(taken).toBeGreaterThanOrEqual(turns - 1);
    }
  });

  it('restores the weights of the best epoch, by the loss or by another log', async () => {
    const after: number[][][] = [];
    const run = async (options: object) => {
      const model = tinyModel();
      model.compile({optimizer: train.sgd(0.1), loss: 'categoricalCrossentropy', metrics: ['accuracy', recall]});
      after.length = 0;
      const onEpochEnd = () => void after.push(weightValues(model));
      // So large a step makes it worse after a while.
      const optimizer = train.sgd(40);
      const {history} = await fitOhem(model, tinyXs(), tinyYs(), {
        ...OPTIONS,
        batchSize: 6,
        epochs: 6,
        optimizer,
        callbacks: {onEpochEnd},
        select: all(),
        ...options,
      });
      return {history, weights: weightValues(model)};
    };
    const {history, weights} = await run({restoreBestWeights: true});
    const losses = history.loss as number[];
    expect(weights).toEqual(after[losses.indexOf(Math.min(...losses))]);
    const byAccuracy = await run({restoreBestWeights: 'val_acc', validationData: [tinyXs(), tinyYs()]});
    const accuracies = byAccuracy.history.val_acc as number[];
    expect(byAccuracy.weights).toEqual(after[accuracies.indexOf(Math.max(...accuracies))]);
    const byRecall = await run({restoreBestWeights: 'val_recall', validationData: [tinyXs(), tinyYs()]});
    const recalls = byRecall.history.val_recall as number[];
    expect(new Set(recalls).size).toBeGreaterThan(1);
    expect(byRecall.weights).toEqual(after[recalls.indexOf(Math.max(...recalls))]);
    expect((await run({})).weights).toEqual(after[5]);
  });

  it('stops at a signal, also one that comes while it validates, and leaves nothing behind', async () => {
    for (const at of ['before', 'in a batch', 'in the validation']) {
      const model = compiled();
      const abort = new AbortController();
      const before = memory().numTensors;
      const [x, y] = [tinyXs(), tinyYs()];
      if (at === 'before') abort.abort();
      const onBatchEnd = (batch: number) => {
        if (at === 'in a batch' && batch === 1) abort.abort();
        // After the last batch nothing is awaited for longer than this but the validation.
        if (at === 'in the validation' && batch === 2) setImmediate(() => abort.abort());
      };
      const options = {
        ...OPTIONS,
        epochs: 4,
        signal: abort.signal,
        callbacks: {onBatchEnd},
        yieldEvery: 'batch',
      } as const;
      const validating = {...options, validationData: [tinyXs(), tinyYs()] as [Tensor, Tensor], validationBatchSize: 1};
      const {epoch, history, state} = await fitOhem(model, x, y, validating);
      expect([at, epoch, history]).toEqual([at, [], {loss: [], batchLoss: [], kept: [], acc: []}]);
      expect([at, state.epoch, state.batch]).toEqual([at, 0, {before: 0, 'in a batch': 2}[at] ?? 3]);
      // What is left are x, y and the validation data.
      expect(memory().numTensors).toBe(before + 4);
    }
  });

  it('warns once of rows that are not finite, and learns from the others', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const xs = tensor2d([1, 0, Number.NaN, 1, 2, 0, 0, Number.NaN, -1, -1, 1, -2], [6, 2]);
    const {history} = await fitOhem(compiled(), xs, tinyYs(), {...OPTIONS, epochs: 2, select: all()});
    const ours = warn.mock.calls.flat().filter((text) => String(text).includes('fitOhem'));
    warn.mockRestore();
    expect(ours).toEqual([
      'fitOhem: rows 1 have a loss that is not finite (epoch 0, batch 0). They are skipped, as will be any later ones.',
    ]);
    expect(history.kept).toEqual([4, 4]);
  });

  it('lets a batch pass in which no row counts', async () => {
    const context = {valid: tensor1d([0, 0, 1, 1, 1, 1])};
    const {history} = await fitOhem(compiled(), tinyXs(), tinyYs(), {...OPTIONS, select: all(), context});
    expect(history.kept).toEqual([4]);
  });

  it('hands the selector what belongs to each row', async () => {
    const seen: number[][] = [];
    const select: Selector = (losses, context) => {
      if (context?.positive) seen.push([...context.positive.dataSync()]);
      return topK({k: 1})(losses, context);
    };
    const context = {
      positive: tensor1d([1, 0, 0, 1, 1, 0]),
      boxes: tensor2d(
        Array.from({length: 24}, (_, i) => i),
        [6, 4],
      ),
    };
    await fitOhem(compiled(), tinyXs(), tinyYs(), {...OPTIONS, select, context, backward: 'masked'});
    expect(seen).toEqual([
      [1, 0],
      [0, 1],
      [1, 0],
    ]);
  });

  it('counts each row as its weight says', async () => {
    const weights = [1, 0, 2, 1, 0, 3];
    const run = async (sampleWeight: Tensor | number[]) => {
      const model = compiled();
      await fitOhem(model, tinyXs(), tinyYs(), {
        ...OPTIONS,
        batchSize: 6,
        sampleWeight,
        select: all(),
        reduction: 'sum',
      });
      return weightValues(model).flat();
    };
    const weighted = await run(weights);
    expect(await run(tensor1d(weights))).toEqual(weighted);
    const [x, y] = [tinyXs(), tinyYs()];
    const rows = weights.flatMap((weight, row) => Array.from({length: weight}, () => row));
    const take = (tensor: Tensor) =>
      tensor2d(
        rows.flatMap((row) => [...tensor.dataSync().slice(2 * row, 2 * row + 2)]),
        [7, 2],
      );
    const model = compiled();
    await fitOhem(model, take(x), take(y), {...OPTIONS, batchSize: 7, select: all(), reduction: 'sum'});
    expectClose(weightValues(model).flat(), weighted, {absolute: 1e-6, relative: 1e-5});
  });

  it('writes up a ledger: rows, losses, and which of them were kept', async () => {
    const notes: {rows: number[]; losses: number; kept: number[]}[] = [];
    const ledger: Ledger = {
      record: (rows, losses, kept) => void notes.push({rows: [...rows], losses: losses.length, kept: [...kept]}),
      toJSON: () => ({batches: notes.length}),
    };
    const options = {...OPTIONS, batchSize: 4, ledger, select: topK({k: 2}), seed: 5, shuffle: true};
    const {state} = await fitOhem(compiled(), tinyXs(), tinyYs(), options);
    expect(notes.flatMap(({rows}) => rows).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(notes.map(({losses, kept}) => [losses, kept.reduce((sum, flag) => sum + flag, 0)])).toEqual([
      [4, 2],
      [2, 2],
    ]);
    // The fourth row and the sixth are the ones that the model gets wrong.
    const first = notes[0] as (typeof notes)[number];
    const hard = first.rows.filter((row) => row === 3 || row === 5);
    for (const row of hard) expect(first.kept[first.rows.indexOf(row)]).toBe(1);
    expect(state.ledger).toEqual({batches: 2});
  });

  it('threads the state of a schedule through steps and epochs', async () => {
    const {xs, ys} = resumableData();
    const {state, history} = await fitOhem(resumableModel(), xs, ys, {
      ...RESUMABLE(),
      epochs: 2,
      select: scheduledDraw(),
    });
    // Eight steps and two epochs.
    expect((state.schedule as {ratio: number}).ratio).toBeCloseTo(0.97 ** 8 * 0.9 ** 2, 10);
    const [first, second] = history.kept as [number, number];
    expect(second).toBeLessThan(first);
  });

  it('passes its state on after a number of steps, or after every epoch', async () => {
    const at = async (checkpointEvery: 'epoch' | number) => {
      const states: number[][] = [];
      const checkpoint = ({epoch, batch, step}: {epoch: number; batch: number; step: number}) =>
        void states.push([epoch, batch, step]);
      await fitOhem(compiled(), tinyXs(), tinyYs(), {...OPTIONS, epochs: 2, checkpoint, checkpointEvery});
      return states;
    };
    expect(await at('epoch')).toEqual([
      [1, 0, 3],
      [2, 0, 6],
    ]);
    expect(await at(2)).toEqual([
      [0, 2, 2],
      [1, 1, 4],
      [1, 3, 6],
    ]);
  });

  it('waits for no read but that of the validation', async () => {
    const read = vi.spyOn(Tensor.prototype, 'data');
    try {
      const options = {...OPTIONS, epochs: 2, validationSplit: 0.5, ledger: {record: () => {}, toJSON: () => 0}};
      await fitOhem(compiled(), tinyXs(), tinyYs(), {...options, seed: 1});
      expect(read).toHaveBeenCalledTimes(2);
    } finally {
      read.mockRestore();
    }
  });

  it('reads once a step on a device, and once for the validation', async () => {
    copyRegisteredKernels('cpu', 'far');
    registerBackend('far', () => new MathBackendCPU());
    await setBackend('far');
    const read = vi.spyOn(Tensor.prototype, 'data');
    try {
      const options = {...OPTIONS, epochs: 2, validationSplit: 0.5, ledger: {record: () => {}, toJSON: () => 0}};
      const {history} = await fitOhem(compiled(), tinyXs(), tinyYs(), {...options, seed: 1});
      expect(read).toHaveBeenCalledTimes(2 * (2 + 1));
      await setBackend('cpu');
      const onHost = await fitOhem(compiled(), tinyXs(), tinyYs(), {...options, seed: 1});
      for (const name of ['loss', 'batchLoss', 'kept', 'val_loss', 'acc']) {
        const tolerance = {absolute: 1e-6, relative: 1e-6};
        expectClose(history[name] as number[], onHost.history[name] as number[], tolerance);
      }
    } finally {
      read.mockRestore();
      await setBackend(backend);
      removeBackend('far');
    }
  });

  it('gives its metrics from the step itself: the model runs forward once a step', async () => {
    const model = compiled();
    const apply = vi.spyOn(model, 'apply');
    await fitOhem(model, tinyXs(), tinyYs(), {...OPTIONS, backward: 'masked'});
    expect(apply).toHaveBeenCalledTimes(3);
    expect(getBackend()).toBe(backend);
    scalar(0).dispose();
  });

  it('begins with a later epoch on request', async () => {
    const {epoch} = await fitOhem(compiled(), tinyXs(), tinyYs(), {...OPTIONS, initialEpoch: 2, epochs: 4});
    expect(epoch).toEqual([2, 3]);
  });
});
