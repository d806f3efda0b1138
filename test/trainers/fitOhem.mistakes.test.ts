import {cast, memory, oneHot, ones, tensor, tensor1d, tensor2d, train, zeros} from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {
  all,
  binaryCrossentropy,
  categoricalCrossentropy,
  type FitOhemArgs,
  fitOhem,
  ohemLoss,
  ohemStep,
  sparseCategoricalCrossentropy,
  topK,
} from 'ohem-tfjs';
import {afterEach, beforeEach, describe, expect, it, type MockInstance, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {MISSING} from '../support/missingOnWasm';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const withOutput = (units: number, activation: 'linear' | 'softmax' | 'sigmoid'): LayersModel =>
  sequential({layers: [layers.dense({units, activation, inputShape: [2]})]});
const OPTIONS = {batchSize: 3, verbose: 0, shuffle: false, select: all()} as const;
const optimizer = () => train.sgd(0.1);

/** A loss that needs a kernel which wasm lacks. */
const lacking = (kernel: string) => () => {
  throw new Error(`Kernel '${kernel}' not registered for backend 'wasm'`);
};

describeOnBackends('A mistake in a call of fitOhem', () => {
  let warn: MockInstance;
  const warnings = () => warn.mock.calls.flat().filter((text) => !String(text).includes('Hi, looks like'));
  beforeEach(() => {
    warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  });
  afterEach(() => warn.mockRestore());

  /** The message of a refused call, after which weights and tensors are those of before. */
  async function refusal(
    options: FitOhemArgs,
    {model = tinyModel() as LayersModel, x = tinyXs(), y = tinyYs() as unknown} = {},
  ): Promise<string> {
    const used = optimizer();
    const before = {weights: weightValues(model), tensors: memory().numTensors};
    const run = fitOhem(model, x, y as never, {...OPTIONS, optimizer: used, ...options});
    const message = await run.then(
      () => 'no error',
      (error: Error) => error.message,
    );
    expect(weightValues(model)).toEqual(before.weights);
    expect(memory().numTensors).toBe(before.tensors);
    return message;
  }

  describe('is refused with what to do instead:', () => {
    it('a loss that mines already, given or compiled', async () => {
      const mining = ohemLoss(categoricalCrossentropy(), topK({k: 1}));
      const remedy = 'loss must be a loss of all rows, got the result of ohemLoss. It mines already: pass the loss';
      expect(await refusal({loss: mining})).toContain(`fitOhem: ${remedy}`);
      const compiled = tinyModel();
      compiled.compile({optimizer: 'sgd', loss: mining});
      expect(() => ohemStep(compiled)).toThrow(`ohemStep: ${remedy}`);
      expect(() => ohemLoss(mining)).toThrow(`ohemLoss: ${remedy}`);
      // The loss within it is a loss of all rows.
      ohemStep(compiled, {loss: categoricalCrossentropy()}).dispose();
    });

    it('a wrong label, by its row of the data', async () => {
      const y = tensor1d([0, 1, 1, 0, 5, 1], 'int32');
      const order = {seed: 3, shuffle: true, batchSize: 6, loss: sparseCategoricalCrossentropy()};
      expect(await refusal(order, {y})).toMatch(
        /^sparse.* got 5 at position \d\. .* It is in row 4 of the data, epoch 0, batch 0\.$/,
      );
      const model = withOutput(1, 'sigmoid');
      const labels = tensor2d([0, 1, -1, 0, 1, 1], [6, 1]);
      expect(await refusal({loss: binaryCrossentropy()}, {model, y: labels})).toContain(
        'got -1 at position 2. Map labels -1 and 1, or 1 and 2, to 0 and 1; pass {ignoreLabel} for labels to ignore. ' +
          'It is in row 2 of the data, epoch 0, batch 0.',
      );
    });

    it.each<[string, FitOhemArgs, string]>([
      [
        'metrics',
        {metrics: ['acc']} as never,
        "got metrics. Metrics are those of the model: model.compile({metrics: ['",
      ],
      ['a context as an option', {group: 1} as never, 'got group. In fitOhem pass {context: {group}}; in a dataset'],
      ['a short name of a loss', {loss: 'MSE' as never}, "got 'MSE'. Did you mean 'meanSquaredError'?"],
      ['a text as a selector', {select: 'topK' as never}, "be a selector, got 'topK'. Build one"],
      ['an optimizer that is not called', {optimizer: train.adam as never}, 'got a function. Call it: tf.train.adam'],
      ['weights of classes in a list', {classWeight: [1, 5] as never}, 'be a record, got [1, 5]. Pass the weight of'],
      ['a weight of a class as text', {classWeight: {0: '1'} as never}, "hold numbers, got '1' for 0. Pass the"],
      ['a text as shuffle', {shuffle: 'no' as never}, "fitOhem: shuffle must be true or false, got 'no'."],
    ])('%s', async (_, options, message) => {
      expect(await refusal({loss: categoricalCrossentropy(), ...options})).toContain(message);
    });

    it('a dataset, arrays, texts, and targets of another width', async () => {
      const loss = categoricalCrossentropy();
      const items = {forEachAsync: () => {}};
      expect(await refusal({loss}, {x: items as never})).toBe(
        'fitOhem: x must be tensors, got a dataset. Call fitOhemDataset(model, dataset, options).',
      );
      const rows = Array.from({length: 6}, () => [0.123456789, 0.987654321]);
      expect(await refusal({loss}, {x: rows as never})).toContain('got a list of 6 lists. Make tensors of arrays');
      const texts = tensor(['a', 'b', 'a', 'b', 'a', 'b']);
      expect(await refusal({loss}, {y: texts})).toBe(
        'fitOhem: y must hold numbers, got a tensor string[6, 1]. Encode texts as numbers.',
      );
      expect(await refusal({loss}, {y: ones([6, 3])})).toMatch(
        /must have the shape of yPred, \[3, 2\], got \[3, 3\]\.$/,
      );
      expect(await refusal({loss}, {y: ones([6])})).toContain('For integer labels use sparseCategoricalCrossentropy.');
    });

    it.each(MISSING)('%s, which the wasm backend of tfjs lacks', async (kernel) => {
      expect(await refusal({loss: lacking(kernel)})).toBe(
        `Kernel '${kernel}' not registered for backend 'wasm'. Call enableWasmTraining() from ` +
          "'ohem-tfjs/wasm' first.",
      );
    });

    it('a kernel that no backend for wasm has', async () => {
      expect(await refusal({loss: lacking('Einsum')})).toBe(
        "Kernel 'Einsum' not registered for backend 'wasm'. Train on another backend: tfjs does not have it for wasm.",
      );
    });
  });

  describe('warns:', () => {
    const trained = (model: LayersModel, options: FitOhemArgs, y = tinyYs()) =>
      fitOhem(model, tinyXs(), y, {...OPTIONS, optimizer: optimizer(), ...options});

    it('a selector that keeps every row of every batch', async () => {
      const loss = categoricalCrossentropy();
      await trained(tinyModel(), {loss, select: topK({k: 3})});
      await trained(tinyModel(), {loss, select: topK({ratio: 0.5, minK: 4})});
      const text = (k: number) =>
        `fitOhem: select has no effect because it keeps ${k} rows of batches of 3: nothing is mined. Pass a smaller k, ` +
        'a larger batchSize, or select: all().';
      expect(warnings()).toEqual([text(3), text(4)]);
      await trained(tinyModel(), {loss, select: topK({k: 2})});
      await trained(tinyModel(), {loss, select: topK({k: 3}), granularity: 'element'}).catch(() => {});
      expect(warnings()).toHaveLength(2);
    });

    it('an activation that does not return what the loss takes, once for a model', async () => {
      const softmax = tinyModel();
      await trained(softmax, {loss: categoricalCrossentropy({fromLogits: true})});
      await trained(softmax, {loss: categoricalCrossentropy({fromLogits: true})});
      const name = softmax.outputNames[0];
      expect(warnings()).toEqual([
        `fitOhem: the loss of the output ${name} takes logits, but its layer ends in softmax, which returns ` +
          'probabilities. Pass {fromLogits: false} to the loss, or change the activation.',
      ]);
      ohemStep(withOutput(1, 'linear'), {loss: 'binaryCrossentropy', optimizer: optimizer()}).dispose();
      expect(warnings().at(-1)).toMatch(
        /^ohemStep: .* takes probabilities, but its layer ends in linear, which returns/,
      );
      ohemStep(withOutput(1, 'softmax'), {loss: 'binaryCrossentropy', optimizer: optimizer()}).dispose();
      expect(warnings().at(-1)).toMatch(/takes a softmax over one unit, which is always 1: nothing can be learned/);
      expect(warnings()).toHaveLength(3);
    });

    it.each([
      ['probabilities', 'softmax', categoricalCrossentropy()],
      ['logits', 'linear', sparseCategoricalCrossentropy({fromLogits: true})],
      ['numbers', 'linear', 'meanSquaredError'],
      ['labels', 'sigmoid', binaryCrossentropy()],
    ] as const)('nothing if the output has the %s that the loss takes', (_, activation, loss) => {
      ohemStep(withOutput(2, activation), {loss, optimizer: optimizer()}).dispose();
      expect(warnings()).toEqual([]);
    });

    it('labels without a class, which mining would hide, once', async () => {
      const labels = cast(oneHot(tensor1d([1, 2, 0, 1, 2, 1], 'int32'), 2), 'float32');
      await trained(tinyModel(), {loss: categoricalCrossentropy(), epochs: 2}, labels);
      expect(warnings()).toEqual([
        'categoricalCrossentropy: 1 of 3 labels in yTrue have no class, the first at position 1: all zeros. Their loss ' +
          'is 0, so they are never mined. tf.oneHot(labels, C) makes them of labels outside 0 … C−1.',
      ]);
    });

    it('no such labels in rows that do not count', async () => {
      const labels = cast(oneHot(tensor1d([1, 2, 0, 1, 2, 1], 'int32'), 2), 'float32');
      const context = {valid: tensor1d([1, 0, 1, 1, 1, 1])};
      const sampleWeight = tensor1d([1, 1, 1, 1, 0, 1]);
      await trained(tinyModel(), {loss: categoricalCrossentropy(), context, sampleWeight}, labels);
      expect(warnings()).toEqual([]);
    });
  });

  it('leaves lists in the history of a run that ended before its first epoch', async () => {
    const signal = AbortSignal.abort();
    const model = tinyModel();
    model.compile({optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy']});
    const {history} = await fitOhem(model, tinyXs(), tinyYs(), {...OPTIONS, signal});
    expect(history).toEqual({loss: [], batchLoss: [], kept: [], acc: []});
  });

  it('is none if a seed is resumed as a text', async () => {
    const model = tinyModel();
    model.compile({optimizer: 'sgd', loss: 'categoricalCrossentropy'});
    const args = {...OPTIONS, shuffle: true};
    const {history, state} = await fitOhem(model, tinyXs(), tinyYs(), {...args, seed: '7'});
    const resumed = await fitOhem(model, tinyXs(), tinyYs(), {...args, seed: 7, epochs: 2, initialState: state});
    expect(resumed.history.loss?.length).toBe(history.loss?.length);
  });
});

describe('zeros', () => {
  it('of one column are labels of class 0, not labels without a class', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const step = ohemStep(withOutput(1, 'sigmoid'), {loss: 'binaryCrossentropy', optimizer: optimizer()});
    step(ones([3, 2]), zeros([3, 1])).dispose();
    step.dispose();
    expect(warn.mock.calls).toEqual([]);
    warn.mockRestore();
  });
});
