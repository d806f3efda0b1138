import * as tf from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {
  type FitOhemArgs,
  fitOhem,
  fitOhemDataset,
  linear,
  percentileSampling,
  randomK,
  type Selector,
  scheduled,
  topK,
} from 'ohem-tfjs';
import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';

const ROWS = 12;
const x = () => tf.randomNormal([ROWS, 3], 0, 1, 'float32', 5);
const y = () => tf.oneHot(tf.tensor1d(Int32Array.from({length: ROWS}, (_, row) => row % 2)), 2);

function compiled(): LayersModel {
  const kernelInitializer = {className: 'GlorotNormal', config: {seed: 1}} as never;
  const dense = layers.dense({units: 2, activation: 'softmax', inputShape: [3], kernelInitializer});
  const model = sequential({layers: [dense]});
  model.compile({optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy'});
  return model;
}

const weightsIn = (model: LayersModel) => model.getWeights().flatMap((weight) => [...weight.dataSync()]);

describeOnBackends('fitOhem({epochs: 1}) in a loop', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  /** The rows that each call learns from. */
  async function rowsOf(model: LayersModel, calls: number, args: FitOhemArgs): Promise<string[]> {
    const rows: string[] = [];
    const ledger = {
      record: (ofBatch: Int32Array, _: Float32Array, kept: Uint8Array) =>
        void rows.push([...ofBatch].filter((_row, i) => kept[i]).join()),
      toJSON: () => null,
    };
    for (let i = 0; i < calls; i++)
      await fitOhem(model, x(), y(), {epochs: 1, batchSize: ROWS, verbose: 0, ledger, ...args});
    return rows;
  }

  it.each<[string, () => Selector]>([
    ['a schedule', () => scheduled(topK, linear({from: 1, to: 0.25, steps: 4}))],
    ['draws', () => randomK({k: 4, seed: 1})],
    ['what it remembers', () => percentileSampling({power: 1, seed: 1})],
  ])('is one call of several epochs, with a selector that has %s', async (_, makeSelect) => {
    const args = {batchSize: 4, verbose: 0, seed: 7} as const;
    const [whole, looped] = [compiled(), compiled()];
    const inOne = await fitOhem(whole, x(), y(), {...args, select: makeSelect(), epochs: 4});
    const select = makeSelect();
    const kept: number[] = [];
    for (let i = 0; i < 4; i++) {
      const {history} = await fitOhem(looped, x(), y(), {...args, select, epochs: 1});
      kept.push(...(history.kept ?? []));
    }
    expect(kept).toEqual(inOne.history.kept);
    expect(weightsIn(looped)).toEqual(weightsIn(whole));
  });

  it('keeps fewer rows from call to call, as a schedule says', async () => {
    const select = scheduled(topK, linear({from: 1, to: 0.25, steps: 4}));
    const rows = await rowsOf(compiled(), 5, {select});
    expect(rows.map((row) => row.split(',').length)).toEqual([12, 10, 8, 5, 3]);
  });

  it('shuffles and draws anew in each call, also with another selector each time and the epochs counted', async () => {
    const model = compiled();
    const rows: string[] = [];
    for (let epoch = 0; epoch < 4; epoch++) {
      rows.push(
        ...(await rowsOf(model, 1, {
          ...{select: randomK({k: 4, seed: 1}), shuffle: false, initialEpoch: epoch, epochs: epoch + 1},
        })),
      );
    }
    expect(new Set(rows).size).toBeGreaterThan(2);
  });

  it.each<[string, (model: LayersModel) => FitOhemArgs]>([
    ['its budget', () => ({budget: {rows: 4}})],
    ['stopTraining', (model) => ({callbacks: {onBatchEnd: () => void Object.assign(model, {stopTraining: true})}})],
    [
      'a signal',
      () => {
        const controller = new AbortController();
        return {signal: controller.signal, callbacks: {onBatchEnd: () => controller.abort()}};
      },
    ],
  ])('takes other rows after a call that %s ended within an epoch, as with stepsPerEpoch', async (_, ending) => {
    const own = {select: topK({ratio: 1}), batchSize: 4, seed: 7};
    const [model, other] = [compiled(), compiled()];
    const rows: string[] = [];
    for (let call = 0; call < 6; call++) rows.push(...(await rowsOf(model, 1, {...own, ...ending(model)})));
    expect(rows).toEqual(await rowsOf(other, 6, {...own, stepsPerEpoch: 1}));
    expect(new Set(rows.flatMap((row) => row.split(','))).size).toBeGreaterThan(8);
    expect(weightsIn(model)).toEqual(weightsIn(other));
  });

  it('finishes the epoch that a call left, if it is given its state', async () => {
    const args = {select: topK({k: 2}), batchSize: 4, seed: 7, verbose: 0, epochs: 2} as const;
    const [whole, stopped] = [compiled(), compiled()];
    await fitOhem(whole, x(), y(), args);
    const {state} = await fitOhem(stopped, x(), y(), {...args, budget: {rows: 4}});
    await fitOhem(stopped, x(), y(), {...args, initialState: state});
    expect(weightsIn(stopped)).toEqual(weightsIn(whole));
  });

  it('begins anew with a function model that each call writes anew', async () => {
    const kernel = tf.variable(tf.ones<tf.Rank.R2>([3, 2]));
    const optimizer = tf.train.sgd(0.01);
    const rows: string[] = [];
    for (let call = 0; call < 2; call++) {
      const model = {predict: (xs: tf.Tensor2D) => tf.matMul(xs, kernel), variables: [kernel]};
      const ledger = {record: (ofBatch: Int32Array) => void rows.push(ofBatch.join()), toJSON: () => null};
      await fitOhem(model, x(), y(), {
        loss: 'meanSquaredError',
        optimizer,
        seed: 7,
        batchSize: ROWS,
        verbose: 0,
        ledger,
      });
    }
    expect(rows[1]).toBe(rows[0]);
  });

  it('begins anew with another optimizer, and where a state says', async () => {
    const select = randomK({k: 4, seed: 1});
    const model = compiled();
    const args = {select, shuffle: false} as const;
    const [first] = await rowsOf(model, 1, args);
    const [second] = await rowsOf(model, 1, args);
    expect(second).not.toBe(first);
    expect(await rowsOf(model, 1, {...args, optimizer: tf.train.sgd(0.1)})).toEqual([first]);
  });

  it('begins another schedule anew, and says so once a call', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      const make = () => scheduled(topK, linear({from: 1, to: 0.25, steps: 4}));
      const model = compiled();
      const rows = [...(await rowsOf(model, 2, {select: make()})), ...(await rowsOf(model, 1, {select: make()}))];
      expect(rows.map((row) => row.split(',').length)).toEqual([12, 10, 12]);
      expect(warn.mock.calls).toEqual([
        [expect.stringContaining('fitOhem: select differs from the selector of the last call for this model')],
      ]);
    } finally {
      warn.mockRestore();
    }
  });

  it('takes the optimizer of a name on, like one of compile', async () => {
    const [whole, looped] = [compiled(), compiled()];
    const args = {batchSize: 4, verbose: 0, seed: 7, optimizer: 'rmsprop', select: topK({k: 2})} as const;
    await fitOhem(whole, x(), y(), {...args, epochs: 3});
    for (let i = 0; i < 3; i++) await fitOhem(looped, x(), y(), {...args, epochs: 1});
    expect(weightsIn(looped)).toEqual(weightsIn(whole));
  });

  it('takes the first batches of a dataset in each call, also with batchesPerEpoch', async () => {
    const model = compiled();
    const seen: number[] = [];
    function* batches() {
      for (let i = 0; i < 8; i++) {
        seen.push(i);
        yield {xs: tf.slice(x(), i, 1), ys: tf.slice(y(), i, 1)};
      }
    }
    for (let call = 0; call < 2; call++) {
      await fitOhemDataset(model, batches, {batchesPerEpoch: 2, epochs: 2, verbose: 0, select: topK({k: 1})});
    }
    expect(seen).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
  });

  it('begins anew after a fit of tfjs in between, whose epochs it knows nothing of', async () => {
    const select = randomK({k: 4, seed: 1});
    const model = compiled();
    const args = {select, shuffle: false} as const;
    const [first] = await rowsOf(model, 1, args);
    await model.fit(x(), y(), {epochs: 1, verbose: 0});
    expect(await rowsOf(model, 1, args)).toEqual([first]);
    expect(await rowsOf(model, 1, args)).not.toEqual([first]);
  });
});
