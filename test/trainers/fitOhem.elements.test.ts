import {memory, oneHot, reshape, type Tensor, tensor, tensor1d, tensor2d, train, zeros} from '@tensorflow/tfjs-core';
import type {Sequential} from '@tensorflow/tfjs-layers';
import {type FitOhemArgs, fitOhem, fitOhemDataset, miningLedger, topK} from 'ohem-tfjs';
import {expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {sequenceModel, sequencesFrom} from '../support/sequenceModel';
import {tinyModel, weightValues} from '../support/tinyModel';

const [ROWS, STEPS] = [7, 3];
const CLOSE = {absolute: 1e-5, relative: 1e-5};

const compiled = (model: Sequential) => {
  model.compile({optimizer: train.sgd(0.5), loss: 'categoricalCrossentropy', metrics: ['accuracy']});
  return model;
};

/** The same data as rows of three places each, and as rows that are these places. */
function data() {
  const {xs, flatXs, labels} = sequencesFrom(3, ROWS, STEPS);
  const flatYs = oneHot(tensor1d(labels, 'int32'), 2);
  return {xs, ys: reshape(flatYs, [ROWS, STEPS, 2]), flatXs, flatYs};
}

const OPTIONS = {epochs: 3, shuffle: false, verbose: 0, select: topK({ratio: 0.5})} as const;

describeOnBackends('fitOhem that mines elements', () => {
  const bothWays = async (ofElements: FitOhemArgs = {}, ofRows: FitOhemArgs = {}) => {
    const {xs, ys, flatXs, flatYs} = data();
    const [sequence, tiny] = [compiled(sequenceModel(STEPS)), compiled(tinyModel())];
    const elements = {...OPTIONS, ...ofElements, batchSize: 2, granularity: 'element'} as const;
    const {history} = await fitOhem(sequence, xs, ys, elements);
    const expected = await fitOhem(tiny, flatXs, flatYs, {...OPTIONS, ...ofRows, batchSize: 2 * STEPS});
    expectClose(weightValues(sequence).flat(), weightValues(tiny).flat(), CLOSE);
    expect(Object.keys(history)).toEqual(Object.keys(expected.history));
    for (const [name, values] of Object.entries(history)) {
      expectClose(values as number[], expected.history[name] as number[], CLOSE);
    }
    return history;
  };

  it('trains, logs and validates as on rows that are these elements', async () => {
    const held = data();
    const history = await bothWays(
      {validationData: [held.xs, held.ys]},
      {validationData: [held.flatXs, held.flatYs], validationBatchSize: 2 * STEPS},
    );
    expect(Object.keys(history)).toEqual(['loss', 'batchLoss', 'kept', 'acc', 'val_loss', 'val_acc']);
    // Half of 6, 6, 6 and of a last batch of 3.
    expect(history.kept).toEqual([11, 11, 11]);
  });

  it('weighs the elements, and hands the selector what belongs to each', async () => {
    const weights = Array.from({length: ROWS * STEPS}, (_, i) => i % 4);
    const valid = weights.map((_, i) => (i % 5 === 0 ? 0 : 1));
    const shape = [ROWS, STEPS] as [number, number];
    await bothWays(
      {sampleWeight: tensor2d(weights, shape), context: {valid: tensor2d(valid, shape)}},
      {sampleWeight: tensor1d(weights), context: {valid: tensor1d(valid)}},
    );
  });

  it('takes batches of a dataset as well', async () => {
    const {xs, ys} = data();
    const [ofTensors, ofBatches] = [compiled(sequenceModel(STEPS)), compiled(sequenceModel(STEPS))];
    const options = {...OPTIONS, granularity: 'element'} as const;
    const expected = await fitOhem(ofTensors, xs, ys, {...options, batchSize: ROWS});
    const {shuffle: _, ...rest} = options;
    const {history} = await fitOhemDataset(ofBatches, [{xs, ys}], rest);
    expect(weightValues(ofBatches)).toEqual(weightValues(ofTensors));
    expect(history).toEqual(expected.history);
  });

  it('names the rows of elements that are not finite, and leaves no tensor behind', async () => {
    const {xs, ys} = data();
    const broken = Array.from(xs.dataSync(), (value, i) => (Math.floor(i / (2 * STEPS)) === 4 ? Number.NaN : value));
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const model = compiled(sequenceModel(STEPS));
    const x: Tensor = tensor(broken, [ROWS, STEPS, 2]);
    const before = memory().numTensors;
    await fitOhem(model, x, ys, {...OPTIONS, batchSize: 3, granularity: 'element'});
    expect(memory().numTensors).toBe(before);
    const ours = warn.mock.calls.flat().filter((text) => String(text).includes('fitOhem'));
    warn.mockRestore();
    expect(ours).toEqual([
      expect.stringContaining('fitOhem: rows 4 have a loss that is not finite (epoch 0, batch 1).'),
    ]);
  });

  it('refuses a ledger, whose rows are samples', async () => {
    const {xs, ys} = data();
    const options = {...OPTIONS, granularity: 'element', ledger: miningLedger(ROWS)} as const;
    await expect(fitOhem(compiled(sequenceModel(STEPS)), xs, ys, options)).rejects.toThrow(
      /^fitOhem: ledger must be left out if elements are mined, got .+\. It counts samples: use granularity 'sample', the default\.$/,
    );
  });

  it('refuses what does not belong to the rows of the data', async () => {
    const {xs, ys} = data();
    const run = (options: FitOhemArgs) =>
      fitOhem(compiled(sequenceModel(STEPS)), xs, ys, {...OPTIONS, ...options, granularity: 'element'});
    await expect(run({context: {valid: zeros([ROWS * STEPS])}})).rejects.toThrow(
      'fitOhem: context.valid must have shape [7, …], got [21].',
    );
    await expect(run({sampleWeight: zeros([3, STEPS])})).rejects.toThrow(
      'fitOhem: sampleWeight must have shape [7, …], got [3, 3].',
    );
  });
});
