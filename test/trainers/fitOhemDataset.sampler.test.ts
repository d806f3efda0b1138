import {clone, concat, memory, slice, type Tensor, tensor1d, train} from '@tensorflow/tfjs-core';
import {
  all,
  cosine,
  type DatasetItem,
  type FitOhemDatasetArgs,
  fitOhemDataset,
  miningLedger,
  perSampleLosses,
  randomSubset,
  type TrainingState,
} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {itemsOf} from '../support/indexedItems';
import {RESUMABLE, resumableData, resumableModel} from '../support/resumable';
import {weightValues} from '../support/tinyModel';
import {allRows, tinySampler} from '../support/tinySamplers';

const ROWS = 40;

/** Arguments without those that only data in tensors have. */
function options(): FitOhemDatasetArgs {
  const {batchSize: _, ...args} = RESUMABLE();
  return {...args, epochs: 2, rows: ROWS};
}

describeOnBackends('fitOhemDataset with a sampler', () => {
  it('gives the weights of a run without a sampler, to the bit, if all rows are chosen', async () => {
    const {xs, ys} = resumableData();
    // The last item is shorter.
    const items = itemsOf({xs, ys}, 12);
    const sampler = randomSubset({ratio: 1});
    for (const own of [{}, {learningRate: cosine({from: 0.1})}]) {
      const [without, withOne] = [resumableModel(), resumableModel()];
      const {history: plain} = await fitOhemDataset(without, items, {...options(), ...own});
      const {history} = await fitOhemDataset(withOne, items, {...options(), ...own, sampler});
      expect(weightValues(withOne)).toEqual(weightValues(without));
      expect(history).toEqual({...plain, rows: [ROWS, ROWS], rescored: [0, 0]});
    }
  });

  it('puts the chosen rows of its items together to batches as large as the largest item', async () => {
    const items = itemsOf(resumableData(), 12);
    const ledger = miningLedger(ROWS);
    const chosen = allRows(ROWS).filter((row) => row % 3 !== 0);
    const sizes: number[] = [];
    const onBatchEnd = (_: number, logs?: Record<string, number>) => void sizes.push(logs?.size as number);
    const {rows: _, ...args} = options();
    const sampler = tinySampler(() => ({rows: chosen}));
    const own = {ledger, sampler, callbacks: {onBatchEnd}};
    // The ledger says how many rows there are.
    const {history} = await fitOhemDataset(resumableModel(), items, {...args, ...own});
    expect(sizes).toEqual([12, 12, 2, 12, 12, 2]);
    expect(history.rows).toEqual([26, 26]);
    expect(Array.from(allRows(ROWS), ledger.seen)).toEqual(Array.from(allRows(ROWS), (row) => (row % 3 === 0 ? 0 : 2)));
  });

  it('makes batches as large as the largest item so far, whichever comes first, also if it is resumed', async () => {
    const {xs, ys} = resumableData();
    const [large, short] = [itemsOf({xs, ys}, 13), itemsOf({xs, ys}, 13).reverse()];
    const items = (epoch: number) => (epoch === 1 ? short : large);
    const chosen = allRows(ROWS).filter((row) => row % 2 === 0 || row === 39);
    const trained = async (own: Partial<FitOhemDatasetArgs>) => {
      const sizes: number[] = [];
      const states: TrainingState[] = [];
      const onBatchEnd = (_: number, logs?: Record<string, number>) => void sizes.push(logs?.size as number);
      const progresses: number[] = [];
      const learningRate = ({progress}: {progress: number}) => {
        progresses.push(progress);
        return 0.1 * (1 - progress);
      };
      const sampler = tinySampler(() => ({rows: chosen}));
      const checkpoint = (state: TrainingState) => void states.push(state);
      const model = resumableModel(train.sgd(0.1));
      const args = {...options(), sampler, learningRate, checkpoint, checkpointEvery: 1, callbacks: {onBatchEnd}};
      await fitOhemDataset(model, items, {...args, ...own});
      return {sizes, states, progresses};
    };
    const {sizes, states, progresses} = await trained({});
    expect(sizes).toEqual([13, 8, 1, 13, 7]);
    // By batches at first, then by rows.
    expect(progresses).toEqual([0, 0.25, 0.5, (1 + 1 / 21) / 2, (1 + 14 / 21) / 2].map((p) => expect.closeTo(p, 9)));
    for (const [done, state] of states.entries()) {
      const initialState = JSON.parse(JSON.stringify(state)) as TrainingState;
      const resumed = await trained({initialState});
      expect(resumed.sizes).toEqual(sizes.slice(done + 1));
      expect(resumed.progresses).toEqual(progresses.slice(done + 1));
    }
  });

  it('counts progress by rows if items have several sizes', async () => {
    const {xs, ys} = resumableData();
    const sizes = [20, 5, 5, 5, 5];
    const items = sizes.map((rows, item): DatasetItem => {
      const first = sizes.slice(0, item).reduce((sum, size) => sum + size, 0);
      const part = (tensor: Tensor) => slice(tensor, [first, 0], [rows, -1]);
      return {xs: part(xs), ys: part(ys), index: allRows(ROWS).slice(first, first + rows)};
    });
    const progresses: number[] = [];
    const learningRate = ({progress}: {progress: number}) => {
      progresses.push(progress);
      return 0.1;
    };
    const sampler = randomSubset({ratio: 1});
    await fitOhemDataset(resumableModel(), items, {...options(), learningRate, sampler});
    expect(progresses).toEqual([0, 0.25, 0.3125, 0.375, 0.4375, 0.5, 0.75, 0.8125, 0.875, 0.9375]);
  });

  it('weighs rows, and keeps what goes with each of them, as one item of these rows would', async () => {
    const {xs, ys} = resumableData();
    const chosen = Int32Array.of(1, 5, 12, 17, 30, 33, 39);
    const weights = Float32Array.of(1, 2, 0.5, 1, 4, 1, 3);
    const rowOf = (tensor: Tensor, row: number) => slice(tensor, [row, 0], [1, -1]);
    const sampleWeight = (rows: Int32Array) => Float32Array.from(rows, (row) => 1 + (row % 4));
    const valid = (rows: Int32Array) => tensor1d(Array.from(rows, (row) => (row % 5 === 2 ? 0 : 1)));
    const items = itemsOf({xs, ys}, 12).map((item) => {
      const rows = item.index as Int32Array;
      return {...item, sampleWeight: Array.from(sampleWeight(rows)), valid: valid(rows)};
    });
    const sampler = tinySampler(() => ({rows: chosen, weights}));
    const [model, twin] = [resumableModel(train.sgd(0.1)), resumableModel(train.sgd(0.1))];
    await fitOhemDataset(model, items, {...options(), select: all(), epochs: 1, sampler});
    const together = (tensor: Tensor) => concat(Array.from(chosen, (row) => rowOf(tensor, row)));
    const both = sampleWeight(chosen).map((weight, place) => weight * (weights[place] as number));
    const one: DatasetItem = {xs: together(xs), ys: together(ys), sampleWeight: tensor1d(both), valid: valid(chosen)};
    const {rows: _, ...args} = options();
    await fitOhemDataset(twin, [one], {...args, select: all(), epochs: 1});
    expect(weightValues(model)).toEqual(weightValues(twin));
  });

  it('weighs an item that is chosen as a whole', async () => {
    const items = itemsOf(resumableData(), 12);
    const weights = Float32Array.from({length: ROWS}, (_, row) => 0.5 + (row % 3));
    const weighed = items.map((item) => ({
      ...item,
      sampleWeight: Float32Array.from(item.index as Int32Array, (row) => weights[row] as number),
    }));
    const [model, twin] = [resumableModel(), resumableModel()];
    await fitOhemDataset(model, items, {...options(), sampler: tinySampler(() => ({weights}))});
    await fitOhemDataset(twin, weighed, options());
    expect(weightValues(model)).toEqual(weightValues(twin));
  });

  it('begins the dataset anew, with the same epoch, for rows that are to be scored', async () => {
    const {xs, ys} = resumableData();
    const opened: number[] = [];
    const shuffled = (epoch: number) => {
      opened.push(epoch);
      const items = itemsOf({xs, ys}, 8);
      return epoch === 1 ? items.reverse() : items;
    };
    const rescore = Int32Array.of(0, 3, 20, 39);
    const sampler = tinySampler(() => ({rows: allRows(ROWS).filter((row) => !rescore.includes(row)), rescore}));
    const model = resumableModel();
    const {history, state} = await fitOhemDataset(model, shuffled, {...options(), sampler});
    expect(opened).toEqual([0, 0, 1, 1]);
    expect([history.rows, history.rescored, state.spent.rows]).toEqual([[36, 36], [4, 4], 80]);
    const losses = await perSampleLosses(model, xs, ys);
    for (const row of rescore) expect(sampler.seen[1]?.losses[row]).toBeCloseTo(losses[row] as number, 5);
  });

  it('says so if a generator, which runs once, has rows to be scored', async () => {
    const items = itemsOf(resumableData(), 8);
    const once = (function* () {
      yield* items;
    })();
    const sampler = tinySampler(() => ({rescore: Int32Array.of(1)}));
    await expect(fitOhemDataset(resumableModel(), once, {...options(), epochs: 1, sampler})).rejects.toThrow(
      'fitOhemDataset: dataset must give at least one batch for each epoch, got 0 in epoch 0. ' +
        'A generator runs once: pass the function that makes it.',
    );
  });

  it('leaves no tensor behind, also if an item is wrong', async () => {
    const items = itemsOf(resumableData(), 8);
    const model = resumableModel();
    const [first, ...others] = items as [DatasetItem, ...DatasetItem[]];
    const sampler = randomSubset({ratio: 0.4});
    const made = () =>
      items.map(({xs, ys, index}) => ({xs: clone(xs as Tensor), ys: clone(ys as Tensor), index}) as DatasetItem);
    await fitOhemDataset(model, () => made().values(), {...options(), sampler});
    const before = memory().numTensors;
    await fitOhemDataset(model, () => made().values(), {...options(), sampler});
    const ofEpochs = memory().numTensors - before;
    const again = [first, ...others.slice(0, 2), first, ...others];
    await expect(fitOhemDataset(model, again, {...options(), sampler})).rejects.toThrow('0 twice in epoch 0');
    const uneven = items.map((item, i) => (i === 3 ? {...item, sampleWeight: Array(8).fill(1)} : item));
    const firstOfEach = tinySampler(() => ({rows: allRows(ROWS).filter((row) => row % 8 < 2)}));
    await expect(fitOhemDataset(model, uneven, {...options(), sampler: firstOfEach})).rejects.toThrow(
      'fitOhemDataset: dataset must give the same fields with each item for a sampler, xs, ys, index alone, got sampleWeight.',
    );
    expect([ofEpochs, memory().numTensors - before - ofEpochs]).toEqual([0, 0]);
  });
});
