import {memory, slice, type Tensor, tensor1d, tensor2d, train} from '@tensorflow/tfjs-core';
import {all, fitOhem, fitOhemDataset, type Ledger, type OhemDataset, topK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {resumableModel} from '../support/resumable';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const compiled = () => {
  const model = tinyModel();
  model.compile({optimizer: train.sgd(0.1), loss: 'categoricalCrossentropy', metrics: ['accuracy']});
  return model;
};
const batchAt = (batch: number) => {
  const [x, y] = [tinyXs(), tinyYs()];
  const made = {xs: slice(x, [2 * batch, 0], [2, 2]), ys: slice(y, [2 * batch, 0], [2, 2])};
  x.dispose();
  y.dispose();
  return made;
};
/** The numbers from here on are not all float32. */
const FAR = 2 ** 24;
const OPTIONS = {verbose: 0, epochs: 2, select: topK({k: 1})} as const;

describeOnBackends('fitOhemDataset', () => {
  const KINDS: Record<string, () => OhemDataset> = {
    'a function that gives a generator': () =>
      function* () {
        for (let i = 0; i < 3; i++) yield batchAt(i);
      },
    'a function that gives an asynchronous generator': () =>
      async function* () {
        for (let i = 0; i < 3; i++) yield batchAt(i);
      },
    'a function that promises one': () => async () => [0, 1, 2].map(batchAt).values(),
    'an iterable': () => ({
      *[Symbol.iterator]() {
        for (let i = 0; i < 3; i++) yield batchAt(i);
      },
    }),
    'a dataset of tf.data': () => ({
      iterator: async () => {
        let i = 0;
        return {next: async () => (i < 3 ? {done: false, value: batchAt(i++)} : {done: true, value: null})};
      },
    }),
    'pairs [xs, ys]': () => () => [0, 1, 2].map((i) => [batchAt(i).xs, batchAt(i).ys] as [Tensor, Tensor]).values(),
  };

  it.each(Object.keys(KINDS))('takes %s, trains as fitOhem does, and disposes what it was given', async (kind) => {
    const [model, expected] = [compiled(), compiled()];
    const {history} = await fitOhem(expected, tinyXs(), tinyYs(), {...OPTIONS, batchSize: 2, shuffle: false});
    const dataset = (KINDS[kind] as () => OhemDataset)();
    // What the test makes twice.
    const extra = kind === 'pairs [xs, ys]' ? 2 * 2 * 3 : 0;
    const before = memory().numTensors;
    const ours = await fitOhemDataset(model, dataset, OPTIONS);
    expect(memory().numTensors).toBe(before + extra);
    expect(weightValues(model)).toEqual(weightValues(expected));
    expect(ours.history).toEqual(history);
  });

  it('leaves the batches of an array to their owner', async () => {
    const dataset = [0, 1, 2].map(batchAt);
    const model = compiled();
    const before = memory().numTensors;
    await fitOhemDataset(model, dataset, OPTIONS);
    expect(memory().numTensors).toBe(before);
    expect(dataset.every(({xs, ys}) => !xs.isDisposed && !ys.isDisposed)).toBe(true);
  });

  it('continues in a dataset from epoch to epoch if `batchesPerEpoch` is given', async () => {
    const made: number[] = [];
    let closed = 0;
    async function* endless() {
      try {
        for (let i = 0; ; i++) {
          made.push(i);
          yield {...batchAt(i % 3), index: [2 * i, 2 * i + 1]};
        }
      } finally {
        closed++;
      }
    }
    const rows: number[][] = [];
    const ledger: Ledger = {record: (batch) => void rows.push([...batch]), toJSON: () => 0};
    const model = compiled();
    const before = memory().numTensors;
    await fitOhemDataset(model, endless, {...OPTIONS, batchesPerEpoch: 2, ledger});
    expect([made, closed]).toEqual([[0, 1, 2, 3], 1]);
    expect(rows).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
    ]);
    expect(memory().numTensors).toBe(before);
  });

  it('takes rows and weights as tensors too, and disposes them', async () => {
    const rows: number[][] = [];
    const ledger: Ledger = {record: (batch) => void rows.push([...batch]), toJSON: () => 0};
    function* dataset() {
      for (let i = 0; i < 3; i++) {
        yield {
          ...batchAt(i),
          index: tensor1d([FAR + i, i], 'int32'),
          sampleWeight: tensor1d([0, 1]),
          valid: tensor1d([1, 1]),
        };
      }
    }
    const model = compiled();
    const before = memory().numTensors;
    await fitOhemDataset(model, dataset, {...OPTIONS, epochs: 1, ledger, select: all()});
    expect(memory().numTensors).toBe(before);
    expect(rows).toEqual([
      [FAR, 0],
      [FAR + 1, 1],
      [FAR + 2, 2],
    ]);
  });

  it('validates on tensors and on datasets, and on a number of first batches', async () => {
    const run = async (options: object) => {
      const dataset = [0, 1, 2].map(batchAt);
      const {history} = await fitOhemDataset(compiled(), dataset, {...OPTIONS, ...options});
      return [history.val_loss, history.val_acc];
    };
    const whole = await run({validationData: [tinyXs(), tinyYs()]});
    const batches = await run({validationData: () => [0, 1, 2].map(batchAt).values()});
    expect(batches.flat().map((value) => (value as number).toFixed(5))).toEqual(
      whole.flat().map((value) => (value as number).toFixed(5)),
    );
    const first = await run({validationData: [0, 1, 2].map(batchAt), validationBatches: 1});
    expect(await run({validationData: [0].map(batchAt)})).toEqual(first);
    expect(first).not.toEqual(whole);
  });

  it('resumes in the middle of an epoch, and passes over what was done', async () => {
    const epochs: number[] = [];
    const dataset = (epoch: number) => {
      epochs.push(epoch);
      return [0, 1, 2].map((i) => batchAt((i + epoch) % 3)).values();
    };
    const whole = compiled();
    await fitOhemDataset(whole, dataset, {...OPTIONS, epochs: 3, seed: 0});
    for (const batchesPerEpoch of [undefined, 3]) {
      const model = compiled();
      const abort = new AbortController();
      const onBatchEnd = (batch: number) => {
        if (batch === 1 && epochs.at(-1) === 1) abort.abort();
      };
      const given =
        batchesPerEpoch === undefined
          ? dataset
          : function* () {
              for (let e = 0; e < 3; e++) yield* dataset(e);
            };
      const options = {...OPTIONS, epochs: 3, seed: 0, ...(batchesPerEpoch && {batchesPerEpoch})};
      const before = memory().numTensors;
      const {state} = await fitOhemDataset(model, given, {...options, callbacks: {onBatchEnd}, signal: abort.signal});
      expect([state.epoch, state.batch, state.step]).toEqual([1, 2, 5]);
      await fitOhemDataset(model, given, {...options, initialState: state});
      expect(weightValues(model)).toEqual(weightValues(whole));
      // The last batch of the epoch that was stopped was made, and never asked for.
      expect(memory().numTensors - before).toBe(2);
    }
  });

  it('trains a model with batch normalisation on batches of one row', async () => {
    const {xs, ys} = {xs: tensor2d([[1, 2, 3, 4]]), ys: tensor2d([[0, 1, 0]])};
    const {history} = await fitOhemDataset(resumableModel(), [{xs, ys}], {...OPTIONS, epochs: 1});
    expect(history.kept).toEqual([1]);
  });
});
