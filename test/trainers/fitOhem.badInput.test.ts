import {memory, tensor2d, train, zeros} from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {all, fitOhem, fitOhemDataset, meanSquaredError, type OhemDataset} from 'ohem-tfjs';
import {afterEach, beforeEach, describe, expect, it, type MockInstance, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {weightValues} from '../support/tinyModel';

const regression = (): LayersModel => {
  const dense = layers.dense({units: 1, inputShape: [2], kernelInitializer: 'ones'});
  const model = sequential({layers: [dense]});
  model.compile({optimizer: train.sgd(0.1), loss: 'meanSquaredError', metrics: ['mae']});
  return model;
};
/** Rows 0 … rows − 1 of a small problem; those in `broken` are NaN. */
const rowsOf = (rows: number, broken: readonly number[] = []) => [
  tensor2d(Array.from({length: rows}, (_, i) => [broken.includes(i) ? Number.NaN : i / rows, 1])),
  tensor2d(Array.from({length: rows}, (_, i) => [i % 3])),
];
const batch = (rows = 4) => {
  const [xs, ys] = rowsOf(rows);
  return {xs: xs as NonNullable<typeof xs>, ys: ys as NonNullable<typeof ys>};
};
const OPTIONS = {batchSize: 4, verbose: 0, shuffle: false, select: all()} as const;
const DATASET = {verbose: 0, select: all()} as const;

/** The message of an error, after which weights are those of `expected` and no tensor is left. */
async function failure(
  model: LayersModel,
  run: () => Promise<unknown>,
  weights = weightValues(model),
): Promise<string> {
  const before = memory();
  const message = await run().then(
    () => 'no error',
    (error: Error) => error.message,
  );
  expect([memory().numTensors, memory().numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
  expect(weightValues(model)).toEqual(weights);
  // It is free for the next training.
  const {xs, ys} = batch();
  await fitOhem(model, xs, ys, OPTIONS);
  return message;
}

describeOnBackends('Bad input of fitOhem', () => {
  let warn: MockInstance;
  beforeEach(() => {
    warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  });
  afterEach(() => {
    // tfjs greets whoever runs it in Node.
    const ours = warn.mock.calls.flat().filter((text) => !String(text).includes('Hi, looks like'));
    warn.mockRestore();
    expect(ours).toEqual([]);
  });

  /** The weights after some steps on such batches. */
  const weightsAfter = async (steps: number, rows = 4) => {
    const model = regression();
    const dataset = Array.from({length: steps}, () => batch(rows));
    if (steps > 0) await fitOhemDataset(model, dataset, DATASET);
    return weightValues(model);
  };

  describe('a dataset', () => {
    it('that throws half way passes its error on, and leaves the weights of the last whole step', async () => {
      async function* dataset() {
        yield batch();
        yield batch();
        throw new Error('the disk is gone');
      }
      const [model, weights] = [regression(), await weightsAfter(2)];
      expect(await failure(model, () => fitOhemDataset(model, dataset, DATASET), weights)).toBe('the disk is gone');
    });

    it('that ends early is named, with the epoch', async () => {
      function* dataset() {
        for (let i = 0; i < 5; i++) yield batch();
      }
      const [model, weights] = [regression(), await weightsAfter(5)];
      const options = {...DATASET, epochs: 2, batchesPerEpoch: 3};
      expect(await failure(model, () => fitOhemDataset(model, dataset, options), weights)).toBe(
        'fitOhemDataset: dataset must give 3 batches for each epoch, got 2 in epoch 1. Repeat it, or omit batchesPerEpoch to restart it for each epoch.',
      );
    });

    it('that is a generator, and over after one epoch, is named', async () => {
      function* dataset() {
        yield batch();
      }
      const [model, weights] = [regression(), await weightsAfter(1)];
      expect(await failure(model, () => fitOhemDataset(model, dataset(), {...DATASET, epochs: 2}), weights)).toBe(
        'fitOhemDataset: dataset must give at least one batch for each epoch, got 0 in epoch 1. A generator runs once: pass the function that makes it.',
      );
    });

    it('may change the size of its batches', async () => {
      function* dataset() {
        for (const rows of [4, 1, 7]) yield batch(rows);
      }
      const model = regression();
      expect((await fitOhemDataset(model, dataset, DATASET)).history.kept).toEqual([12]);
    });

    it('that gives a batch of the wrong shape stops there', async () => {
      async function* dataset() {
        yield batch();
        yield {xs: zeros([4, 3]), ys: zeros([4, 1])};
      }
      const [model, weights] = [regression(), await weightsAfter(1)];
      expect(await failure(model, () => fitOhemDataset(model, dataset, DATASET), weights)).toContain(
        'xs must have the shape of the input dense',
      );
    });

    it.each([
      ['no pair', () => zeros([4, 2]), 'dataset must give items {xs, ys}'],
      ['no tensors', () => ({xs: [1, 2], ys: [1]}), 'xs must be a tensor, or tensors for'],
      [
        'an index of another length',
        () => ({...batch(), index: [1]}),
        'index of dataset must have a row for each of the 4 in xs, got 1.',
      ],
    ])('whose items are %s is named', async (_, item, message) => {
      const model = regression();
      const dataset = (() => [item()].values()) as unknown as OhemDataset;
      expect(await failure(model, () => fitOhemDataset(model, dataset, DATASET))).toContain(
        `fitOhemDataset: ${message}`,
      );
    });

    it.each([[undefined], [3], ['batches'], [{}]])('that is none is named: %j', async (dataset) => {
      const model = regression();
      expect(await failure(model, () => fitOhemDataset(model, dataset as never, DATASET))).toBe(
        `fitOhemDataset: dataset must be a dataset of tf.data, an iterable of {xs, ys}, or a function that gives one, got ${typeof dataset === 'object' ? '{}' : dataset}.`,
      );
    });

    it('without rows is named where a ledger is to be kept', async () => {
      const model = regression();
      const ledger = {record: () => {}, toJSON: () => ({})};
      expect(await failure(model, () => fitOhemDataset(model, () => [batch()].values(), {...DATASET, ledger}))).toBe(
        'fitOhemDataset: dataset must give items {xs, ys, index} for a ledger, got one without index.',
      );
    });
  });

  it.each(['onTrainBegin', 'onEpochBegin', 'onBatchBegin', 'onBatchEnd', 'onEpochEnd', 'onTrainEnd'])(
    'passes on what a callback throws in %s',
    async (name) => {
      const [x, y] = rowsOf(4);
      const model = regression();
      const fails = {
        [name]: () => {
          throw new Error('no callback today');
        },
      };
      const steps = ['onTrainBegin', 'onEpochBegin', 'onBatchBegin'].includes(name) ? 0 : 1;
      const weights = await weightsAfter(steps);
      const options = {...OPTIONS, callbacks: fails, yieldEvery: 'batch', sampleWeight: [1, 1, 1, 1]} as const;
      expect(await failure(model, () => fitOhem(model, x as never, y as never, options), weights)).toBe(
        'no callback today',
      );
    },
  );

  describe('validation data', () => {
    const [x, y] = [() => rowsOf(4)[0] as never, () => rowsOf(4)[1] as never];

    it.each([
      [
        'inputs of another shape',
        () => [zeros([4, 3]), zeros([4, 1])],
        'fitOhem: x of validationData must have the shape of the input',
      ],
      ['targets of another shape', () => [zeros([4, 2]), zeros([4, 2])], 'yTrue must have'],
      [
        'another number of targets',
        () => [zeros([4, 2]), zeros([3, 1])],
        'fitOhem: y of validationData must have as many rows as x of validationData, 4, got 3.',
      ],
      ['no rows', () => [zeros([0, 2]), zeros([0, 1])], 'fitOhem: x of validationData must have at least one row'],
      ['weights too', () => [zeros([4, 2]), zeros([4, 1]), zeros([4])], 'fitOhem: validationData must be [x, y]'],
      ['no tensors', () => [[1], [2]], 'fitOhem: x of validationData must be a tensor'],
    ])('with %s is refused before anything is trained', async (_, make, message) => {
      const model = regression();
      const onBatchBegin = vi.fn();
      const [xs, ys, validationData] = [x(), y(), make() as never];
      const options = {...OPTIONS, validationData, callbacks: {onBatchBegin}};
      expect(await failure(model, () => fitOhem(model, xs, ys, options))).toContain(message);
      expect(onBatchBegin).not.toHaveBeenCalled();
    });

    it('of a dataset with the wrong shape is refused before anything is trained', async () => {
      const model = regression();
      const validationData = () => [{xs: zeros([4, 3]), ys: zeros([4, 1])}].values();
      const options = {...DATASET, validationData};
      expect(await failure(model, () => fitOhemDataset(model, () => [batch()].values(), options))).toContain(
        'xs must have the shape of the input',
      );
    });

    it('that is a generator is refused: it would run once', async () => {
      const model = regression();
      const options = {...DATASET, validationData: [batch()].values()};
      expect(await failure(model, () => fitOhemDataset(model, () => [].values(), options))).toBe(
        'fitOhemDataset: validationData must be a dataset that can be restarted for each epoch, got a generator. Pass the function that creates it.',
      );
    });
  });

  it('names epoch, batch and rows where every row of a batch is not finite', async () => {
    const [x, y] = rowsOf(12, [4, 5, 6, 7]);
    const model = regression();
    // The batch before the broken one is rows 0 to 3.
    const before = await (async () => {
      const twin = regression();
      await fitOhem(twin, x as never, y as never, {...OPTIONS, stepsPerEpoch: 1});
      return weightValues(twin);
    })();
    expect(await failure(model, () => fitOhem(model, x as never, y as never, OPTIONS), before)).toBe(
      'fitOhem: loss must be finite for at least one row of each batch, got none in epoch 0, batch 1 (rows 4, 5, 6, 7). The weights are those before this batch. Look for NaN in these rows, or lower the learning rate.',
    );
  });

  it.each([
    [{epochs: 0}, 'epochs must be an integer >= 1, got 0.'],
    [{initialEpoch: -1}, 'initialEpoch must be an integer >= 0, got -1.'],
    [{batchSize: 0}, 'batchSize must be an integer >= 1, got 0.'],
    [{verbose: 3}, 'verbose must be one of 0, 1, 2, got 3.'],
    [{yieldEvery: 'now'}, "yieldEvery must be one of auto, batch, epoch, never, got 'now'."],
    [{validationSplit: 1}, 'validationSplit must be in [0, 1), got 1.'],
    [{validationSplit: 0.95}, 'validationSplit must leave a row to train on, got 0.95.'],
    [
      {stepsPerEpoch: 4},
      'stepsPerEpoch must be at most 3, the number of batches, got 4. Omit it to train on all of them.',
    ],
    [{sampleWeight: [1]}, 'sampleWeight must have 12 numbers, one for each row, got 1.'],
    [() => ({sampleWeight: zeros([3])}), 'sampleWeight must have shape [12], one value for each row, got [3].'],
    [
      () => ({context: {positive: zeros([3])}}),
      'context.positive must have shape [12], one value for each row, got [3].',
    ],
    [{callbacks: [3]}, 'callbacks must be callbacks of tfjs, or objects of functions, got 3.'],
    [{checkpointEvery: 0.5}, 'checkpointEvery must be an integer >= 1, got 0.5.'],
    [{restoreBestWeights: 'val_loss'}, "restoreBestWeights must be one of loss, batchLoss, kept, mae, got 'val_loss'."],
    [
      {initialState: {epoch: 1}},
      'initialState must be the state of a training run, got {epoch}. Pass what resumeTraining returns.',
    ],
    [{batch: 3}, 'options must have the names loss, select'],
  ] as [object | (() => object), string][])('refuses %j: %s', async (given, message) => {
    const [x, y] = rowsOf(12);
    const model = regression();
    const options = typeof given === 'function' ? given() : given;
    const run = () => fitOhem(model, x as never, y as never, {...OPTIONS, ...options} as never);
    expect(await failure(model, run)).toContain(`fitOhem: ${message}`);
  });

  it('refuses a state and options that say otherwise', async () => {
    const [x, y] = rowsOf(12);
    const {state} = await fitOhem(regression(), x as never, y as never, {...OPTIONS, seed: 1});
    const model = regression();
    const run = (options: object) => () =>
      fitOhem(model, x as never, y as never, {...OPTIONS, initialState: state, ...options});
    expect(await failure(model, run({seed: 2}))).toBe('fitOhem: seed must be that of initialState, 1, got 2.');
    expect(await failure(model, run({initialEpoch: 0}))).toBe(
      'fitOhem: initialEpoch must be left out with initialState, which has the epoch, got 0.',
    );
  });

  it('takes a loss and an optimizer for a model that is not compiled', async () => {
    const model = sequential({layers: [layers.dense({units: 1, inputShape: [2]})]});
    const {xs, ys} = batch();
    await expect(fitOhem(model, xs, ys, OPTIONS)).rejects.toThrow('fitOhem: loss must be given');
    const options = {...OPTIONS, loss: meanSquaredError(), optimizer: train.sgd(0.1)};
    expect(Object.keys((await fitOhem(model, xs, ys, options)).history)).toEqual(['loss', 'batchLoss', 'kept']);
  });
});
