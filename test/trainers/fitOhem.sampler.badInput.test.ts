import {memory, randomNormal, tensor1d, tensor2d, train} from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {
  type EpochRows,
  type FitOhemArgs,
  fitOhem,
  fitOhemDataset,
  infoBatch,
  miningLedger,
  randomSubset,
  type Sampler,
} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {itemsOf} from '../support/indexedItems';
import {RESUMABLE, resumableData, resumableModel} from '../support/resumable';
import {weightValues} from '../support/tinyModel';
import {tinySampler} from '../support/tinySamplers';

describeOnBackends('fitOhem refuses, before anything is trained,', () => {
  /** Trains one epoch, and expects an error that leaves weights and memory as they were. */
  async function refused(args: FitOhemArgs, message: string): Promise<void> {
    const {xs, ys} = resumableData();
    const model = resumableModel();
    const [weights, before] = [weightValues(model), memory().numTensors];
    await expect(fitOhem(model, xs, ys, {...RESUMABLE(), epochs: 1, ...args})).rejects.toThrow(message);
    expect([weightValues(model), memory().numTensors]).toEqual([weights, before]);
  }

  const choices: [string, Omit<Partial<EpochRows>, 'rows'> & {rows?: unknown}, string][] = [
    ['rows in a list', {rows: [0, 1]}, 'rows of sampler tiny must be an Int32Array, got'],
    ['none', {rows: new Int32Array(0)}, 'rows of sampler tiny must hold at least one row in each epoch, got none.'],
    [
      'a row twice',
      {rows: Int32Array.of(1, 1)},
      'rows of sampler tiny must be in ascending order, each once, got 1 after 1',
    ],
    [
      'unsorted rows',
      {rows: Int32Array.of(2, 1)},
      'must be in ascending order, each once, got 1 after 2 at position 1.',
    ],
    ['a row behind the last', {rows: Int32Array.of(3, 40)}, 'must be from 0 to 39, got 40 at position 1.'],
    ['a negative row', {rows: Int32Array.of(-1)}, 'must be from 0 to 39, got -1 at position 0.'],
    ['weights in a list', {weights: [1] as never}, 'weights of sampler tiny must be a Float32Array, got'],
    [
      'too few weights',
      {weights: Float32Array.of(1)},
      'weights of sampler tiny must hold one number for each of the 40 rows, got 1.',
    ],
    [
      'a negative weight',
      {weights: new Float32Array(40).fill(-1)},
      'weights of sampler tiny must be finite and >= 0, got -1 at position 0.',
    ],
    ['a weight of NaN', {weights: new Float32Array(40).fill(Number.NaN)}, 'must be finite and >= 0, got NaN'],
    ['an infinite weight', {weights: new Float32Array(40).fill(Infinity)}, 'must be finite and >= 0, got Infinity'],
    [
      'weights of 0',
      {weights: new Float32Array(40)},
      'weights of sampler tiny must be over 0 for at least one row, got zeros.',
    ],
    ['a wrong row to score', {rescore: Int32Array.of(99)}, 'rescore of sampler tiny must be from 0 to 39, got 99'],
    [
      'an infinite factor',
      {learningRateFactor: Infinity},
      'learningRateFactor of sampler tiny must be a finite number > 0, got Infinity.',
    ],
    [
      'a factor of 0',
      {learningRateFactor: 0},
      'learningRateFactor of sampler tiny must be a finite number > 0, got 0.',
    ],
  ];
  it.each(choices)('a sampler that chooses %s', async (_, choice, message) => {
    await refused({sampler: tinySampler(() => choice as unknown as EpochRows)}, message);
  });

  it('a sampler whose choice has a name that is none', async () => {
    await refused(
      {sampler: tinySampler(() => ({weight: new Float32Array(40)}) as unknown as EpochRows)},
      'fitOhem: choice of sampler tiny must have the names rows, weights, rescore, learningRateFactor, got weight. ' +
        "Did you mean 'weights'?",
    );
  });

  it.each([
    ['a list', () => [1, 2], '[1, 2]'],
    ['row numbers alone', () => Int32Array.of(0, 1), ''],
    ['a tensor', () => tensor1d([0, 1], 'int32'), ''],
    ['nothing', () => undefined, 'undefined'],
    ['null', () => null, 'null'],
    ['a promise', () => Promise.resolve({rows: Int32Array.of(0)}), ''],
  ])('a sampler whose choose returns %s', async (_, make, got) => {
    const choice = make();
    const sampler = {...tinySampler(), choose: () => choice} as unknown as Sampler;
    await refused({sampler}, `fitOhem: choice of sampler tiny must be a record {rows}, got ${got}`);
    await refused({sampler}, '. Return {rows: Int32Array.from(list)} from choose.');
  });

  const samplers: [string, unknown, string][] = [
    ['a text', 'infoBatch', 'fitOhem: sampler must be a sampler {samplerName, init, choose, next}, got infoBatch.'],
    ['its factory', infoBatch, 'fitOhem: sampler must be a sampler {samplerName, init, choose, next}, got a function.'],
    ['one without a name', {...tinySampler(), samplerName: undefined}, 'fitOhem: sampler.samplerName must be a text'],
    [
      'one without next',
      {...tinySampler(), next: undefined},
      'fitOhem: sampler.next must be a function, got undefined.',
    ],
    [
      'needs that are not known',
      tinySampler(undefined, ['margin'] as never),
      "fitOhem: sampler.needs must be one of correct, confidence, got 'margin'.",
    ],
    [
      'a state that is not plain',
      {...tinySampler(), init: () => new Map()},
      'fitOhem: state of sampler tiny must be plain data',
    ],
  ];
  it.each(samplers)('%s for a sampler', async (_, sampler, message) => {
    await refused({sampler: sampler as Sampler}, message);
  });

  it.each([
    ['a promise', async () => ({}), 'fitOhem: state of sampler tiny must be plain data'],
    ['a function', () => ({f: () => 1}), 'fitOhem: state of sampler tiny.f must be plain data'],
    ['nothing', () => undefined, 'fitOhem: next of sampler tiny must return the state after the epoch, got undefined.'],
  ])('the second epoch, if next returns %s', async (_, next, message) => {
    const {xs, ys} = resumableData();
    let epochs = 0;
    const onEpochBegin = () => void epochs++;
    const sampler = {...tinySampler(), next} as unknown as Sampler;
    const args = {...RESUMABLE(), epochs: 3, sampler, callbacks: {onEpochBegin}};
    await expect(fitOhem(resumableModel(), xs, ys, args)).rejects.toThrow(message);
    expect(epochs).toBe(1);
  });

  it('elements with a sampler', async () => {
    await refused(
      {granularity: 'element', sampler: tinySampler()},
      'fitOhem: sampler must be left out if elements are mined',
    );
  });

  it('a factor for an optimizer without a rate', async () => {
    const {xs, ys} = resumableData();
    const adagrad = train.adagrad(0.1);
    Object.assign(adagrad, {learningRate: undefined});
    const sampler = tinySampler(() => ({learningRateFactor: 2}));
    await expect(fitOhem(resumableModel(adagrad), xs, ys, {...RESUMABLE(), epochs: 1, sampler})).rejects.toThrow(
      'fitOhem: optimizer must have a number learningRate for the learningRateFactor of a sampler, got Adagrad.',
    );
  });

  const learned = (): Sampler => tinySampler(undefined, ['correct', 'confidence']);
  const built = (units: number, loss: string, inputs = 4): LayersModel => {
    const model = sequential({layers: [layers.dense({units, inputShape: [inputs]})]});
    model.compile({optimizer: 'sgd', loss});
    return model;
  };
  it.each([
    ['numbers', 1, 'ys must hold' as const],
    ['several numbers', 3, 'ys must hold' as const],
  ])('%s in the place of class labels', async (_, units) => {
    const {xs} = resumableData();
    const model = built(units, 'meanSquaredError');
    const weights = weightValues(model);
    const run = fitOhem(model, xs, randomNormal([40, units]), {...RESUMABLE(), sampler: learned()});
    const message =
      units === 1
        ? 'fitOhem: model must predict classes, [B, C] for the sampler tiny, got [12, 1]. It needs class labels.'
        : 'fitOhem: ys must hold class labels for the sampler tiny, of sum 1, got';
    await expect(run).rejects.toThrow(message);
    expect(weightValues(model)).toEqual(weights);
  });
});

describeOnBackends('fitOhemDataset', () => {
  const options = () => {
    const {batchSize: _, ...args} = {...RESUMABLE(), epochs: 2, rows: 40};
    return args;
  };
  const sampler = () => randomSubset({ratio: 0.5});

  it('refuses a sampler without the number of rows, and with batchesPerEpoch', async () => {
    const items = itemsOf(resumableData(), 8);
    const {rows: _, ...without} = options();
    await expect(fitOhemDataset(resumableModel(), items, {...without, sampler: sampler()})).rejects.toThrow(
      'fitOhemDataset: rows must be given with a sampler, got undefined. Pass the number of rows in the dataset.',
    );
    const endless = {...options(), sampler: sampler(), batchesPerEpoch: 2};
    await expect(fitOhemDataset(resumableModel(), items, endless)).rejects.toThrow(
      'fitOhemDataset: batchesPerEpoch must be left out with a sampler, got 2.',
    );
  });

  it('refuses items without index, rows that come twice or are out of range, and a size that is another one', async () => {
    const items = itemsOf(resumableData(), 8);
    const trained = (given: typeof items | ((epoch: number) => typeof items), own = {}) => {
      const before = memory().numTensors;
      const run = fitOhemDataset(resumableModel(), given, {...options(), ...own, sampler: sampler()});
      return {run, before};
    };
    const withIndex = (index: number[] | undefined) =>
      items.map((item, i) => (i === 2 ? {...item, index} : item)) as typeof items;
    await expect(trained(withIndex(undefined)).run).rejects.toThrow(
      'fitOhemDataset: dataset must give items {xs, ys, index} for a sampler, got one without index.',
    );
    await expect(trained(withIndex([16, 17, 18, 19, 20, 21, 22, 22.5])).run).rejects.toThrow(
      'fitOhemDataset: index of dataset must hold integers, got 22.5 at position 7.',
    );
    const ofTensor = withIndex(tensor1d([16, 17, 18, Number.NaN, 20, 21, 22, 23]) as never);
    await expect(trained(ofTensor).run).rejects.toThrow(
      'fitOhemDataset: index of dataset must hold integers, got NaN at position 3.',
    );
    const ledger = miningLedger(32);
    await expect(trained(items, {ledger}).run).rejects.toThrow(
      'fitOhemDataset: ledger must have room for 40 rows, as given by rows, got 32.',
    );
    await expect(trained(withIndex([16, 17, 18, 19, 20, 21, 22, 3])).run).rejects.toThrow(
      'fitOhemDataset: index of dataset must name each row once in an epoch, got 3 twice in epoch 0.',
    );
    await expect(trained(withIndex([16, 17, 18, 19, 20, 21, 22, 40])).run).rejects.toThrow(
      'fitOhemDataset: index of dataset must be from 0 to 39, got 40. Number the rows from 0, and pass their number as rows.',
    );
    await expect(trained((epoch) => (epoch === 0 ? items : items.slice(1))).run).rejects.toThrow(
      'fitOhemDataset: dataset must give all 40 rows in each epoch with a sampler, got 32 in epoch 1, without row 0.',
    );
    await expect(trained(items, {rows: 41}).run).rejects.toThrow('must give all 41 rows in each epoch');
    await expect(trained([{...(items[0] as object), xs: tensor2d([[0]])}] as never).run).rejects.toThrow(
      'fitOhemDataset: index of dataset must have a row for each of the 1 in xs, got 8.',
    );
  });

  const wrongIndex = (item: number, index: number[]) => () =>
    itemsOf(resumableData(), 8).map((given, i) => (i === item ? {...given, index} : given));
  it.each([
    ['twice in its first item', wrongIndex(0, [0, 1, 2, 3, 4, 5, 6, 6]), 0, '6 twice in epoch 0'],
    ['twice in its third item', wrongIndex(2, [16, 17, 18, 19, 20, 21, 22, 3]), 2, '3 twice in epoch 0'],
    ['out of range in its first item', wrongIndex(0, [0, 1, 2, 3, 4, 5, 6, 40]), 0, 'be from 0 to 39, got 40'],
    ['out of range in its third item', wrongIndex(2, [16, 17, 18, 19, 20, 21, 22, 40]), 2, 'be from 0 to 39, got 40'],
    [
      'without eight rows in the second epoch',
      (epoch: number) => itemsOf(resumableData(), 8).slice(epoch),
      9,
      'must give all 40 rows in each epoch with a sampler, got 32 in epoch 1, without row 0.',
    ],
  ])('has trained on whole batches before an index that comes %s, and no more', async (_, items, steps, message) => {
    const model = resumableModel();
    const weights = [weightValues(model)];
    const onBatchEnd = () => void weights.push(weightValues(model));
    // All rows, so that each item is a batch.
    const args = {...options(), callbacks: {onBatchEnd}, sampler: tinySampler()};
    await expect(fitOhemDataset(model, items, args)).rejects.toThrow(message);
    expect(weights).toHaveLength(1 + steps);
    expect(weightValues(model)).toEqual(weights.at(-1));
    for (let step = 0; step < steps; step++) expect(weights[step + 1]).not.toEqual(weights[step]);
  });
});
