import {memory, type Tensor, tensor1d, tensor2d, tensor4d, zeros} from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {
  binaryCrossentropy,
  categoricalCrossentropy,
  hardestExamples,
  meanSquaredError,
  perSampleLosses,
  sparseCategoricalCrossentropy,
} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';
import {twoOutputs} from '../support/twoOutputs';

const loss = categoricalCrossentropy();

/** Says of each row what it is given, by an activation. */
function echo(features: number, activation: 'linear' | 'sigmoid' | 'softmax') {
  const model = sequential({
    layers: [layers.dense({units: features, activation, kernelInitializer: 'identity', inputShape: [features]})],
  });
  return model;
}

const shown = async (model: ReturnType<typeof echo>, x: Tensor, y: Tensor, options: object) =>
  (await hardestExamples(model, x, y, options)).map(({label, prediction}) => [label, prediction]);

describeOnBackends('hardestExamples', () => {
  it('gives the rows with the largest losses, hardest first, with class numbers', async () => {
    const model = tinyModel();
    const examples = await hardestExamples(model, tinyXs(), tinyYs(), {loss, count: 3});
    const losses = await perSampleLosses(model, tinyXs(), tinyYs(), {loss});
    const rows = [0, 1, 2, 3, 4, 5].sort((a, b) => (losses[b] as number) - (losses[a] as number)).slice(0, 3);
    expect(examples.map(({index}) => index)).toEqual(rows);
    expect(examples.map((example) => example.loss)).toEqual(rows.map((row) => losses[row]));
    const labels = [0, 1, 0, 0, 1, 1];
    // The logits are [1, −1], [0.5, 2], [2, −2], [1, 4], [−1.5, −1], [0, −5].
    const predictions = [0, 1, 0, 1, 1, 0];
    expect(examples.map(({label}) => label)).toEqual(rows.map((row) => labels[row]));
    expect(examples.map(({prediction}) => prediction)).toEqual(rows.map((row) => predictions[row]));
  });

  it('gives all rows, and ten by default', async () => {
    const [x, y] = [zeros([12, 2]), zeros([12, 2])];
    expect(await hardestExamples(tinyModel(), x, y, {loss, count: 99})).toHaveLength(12);
    expect(await hardestExamples(tinyModel(), x, y, {loss})).toHaveLength(10);
  });

  it('gives ties to the lower index', async () => {
    const examples = await hardestExamples(echo(1, 'linear'), tensor1d([1, 2, 2, 0, 2]), zeros([5, 1]), {
      loss: meanSquaredError(),
      count: 4,
      batchSize: 2,
    });
    expect(examples.map(({index}) => index)).toEqual([1, 2, 4, 0]);
    expect(examples[0]).toEqual({index: 1, loss: 4, label: 0, prediction: 2});
  });

  it('lists rows whose loss is not finite before all others, in their order', async () => {
    const x = tensor1d([3, Number.NaN, 1, 2]);
    const y = tensor1d([0, 0, Number.POSITIVE_INFINITY, 0]);
    const examples = await hardestExamples(echo(1, 'linear'), x, y, {loss: meanSquaredError(), count: 3});
    expect(examples.map((example) => [example.index, example.loss])).toEqual([
      [1, Number.NaN],
      [2, Number.POSITIVE_INFINITY],
      [0, 9],
    ]);
  });

  it('shows integer labels beside the likeliest class, whether they are [B] or [B, 1]', async () => {
    const x = tensor2d([
      [3, 0, 1],
      [0, 1, 5],
    ]);
    const sparse = {loss: sparseCategoricalCrossentropy({fromLogits: true})};
    expect(await shown(echo(3, 'linear'), x, tensor1d([1, 2], 'int32'), sparse)).toEqual([
      [1, 0],
      [2, 2],
    ]);
    expect(await shown(echo(3, 'linear'), x, tensor2d([[1], [2]]), sparse)).toEqual([
      [1, 0],
      [2, 2],
    ]);
  });

  it('shows one-hot labels as classes, also as integers or booleans', async () => {
    const x = tensor2d([
      [0, 4],
      [4, 0],
    ]);
    for (const dtype of ['float32', 'int32', 'bool'] as const) {
      const y = tensor2d(
        [
          [1, 0],
          [1, 0],
        ],
        [2, 2],
        dtype,
      );
      expect(await shown(echo(2, 'softmax'), x, y, {loss})).toEqual([
        [0, 1],
        [0, 0],
      ]);
    }
  });

  it('shows labels 0 and 1 of a sigmoid as classes', async () => {
    const [x, y] = [tensor1d([-3, 2]), tensor1d([1, 1])];
    expect(await shown(echo(1, 'sigmoid'), x, y, {loss: binaryCrossentropy()})).toEqual([
      [1, 0],
      [1, 1],
    ]);
  });

  it('shows values where no output is a class: regression, soft labels, several labels at once', async () => {
    const [x, y] = [tensor1d([2, 1]), tensor1d([0, 1])];
    expect(await shown(echo(1, 'linear'), x, y, {loss: meanSquaredError()})).toEqual([
      [0, 2],
      [1, 1],
    ]);
    const pair = tensor2d([
      [2, 4],
      [1, 1],
    ]);
    const targets = tensor2d([
      [0, 1],
      [1, 1],
    ]);
    expect(await shown(echo(2, 'linear'), pair, targets, {loss: meanSquaredError(), count: 1})).toEqual([
      [
        [0, 1],
        [2, 4],
      ],
    ]);
    const soft = tensor2d([
      [0.5, 0.5],
      [1, 0],
    ]);
    const [first] = await shown(echo(2, 'linear'), pair, soft, {loss: meanSquaredError(), count: 1});
    expect(first).toEqual([
      [0.5, 0.5],
      [2, 4],
    ]);
    const [fraction] = await shown(echo(1, 'sigmoid'), tensor1d([0, 0]), tensor1d([1, 0.25]), {
      loss: binaryCrossentropy(),
      count: 1,
    });
    expect(fraction).toEqual([1, 0.5]);
  });

  it('shows a list of classes where there is one for each pixel', async () => {
    const model = sequential({layers: [layers.conv2d({filters: 2, kernelSize: 1, inputShape: [1, 2, 2]})]});
    model.setWeights([tensor4d([1, 0, 0, 1], [1, 1, 2, 2]), zeros([2])]);
    const x = tensor4d([1, 0, 0, 1], [1, 1, 2, 2]);
    const y = tensor4d([0, 1, 0, 1], [1, 1, 2, 2]);
    expect(await shown(model, x, y, {loss: categoricalCrossentropy({fromLogits: true})})).toEqual([
      [
        [1, 1],
        [0, 1],
      ],
    ]);
  });

  it('shows records by name where the model has several outputs', async () => {
    const {model, x, y} = twoOutputs();
    const [first] = await hardestExamples(model, x, y, {loss: meanSquaredError(), lossWeights: {left: 0}, count: 1});
    expect(first).toMatchObject({index: 1, loss: 1, label: {left: 1, right: 5}, prediction: {right: 6}});
  });

  it('leaves no tensor behind, and the data and the weights as they are', async () => {
    const [model, x, y] = [tinyModel(), tinyXs(), tinyYs()];
    await hardestExamples(model, x, y, {loss, count: 5, batchSize: 2});
    const [weights, before] = [weightValues(model), memory().numTensors];
    await hardestExamples(model, x, y, {loss, count: 5, batchSize: 2});
    expect(memory().numTensors).toBe(before);
    expect([x.isDisposed, y.isDisposed]).toEqual([false, false]);
    expect(weightValues(model)).toEqual(weights);
  });

  it('refuses what does not fit, by its own name', async () => {
    const refused = (options: object, y = tinyYs()) =>
      expect(hardestExamples(tinyModel(), tinyXs(), y, options)).rejects;
    await refused({loss, count: 0}).toThrow(new RangeError('hardestExamples: count must be an integer >= 1, got 0.'));
    await refused({loss, n: 3}).toThrow(
      new TypeError('hardestExamples: options must have the names count, loss, lossWeights, batchSize, got n.'),
    );
    await refused({}).toThrow('hardestExamples: loss must be given, or the model be compiled with one, got undefined.');
    await refused({loss}, tensor2d([[1, 0]])).toThrow(
      new TypeError('hardestExamples: y must have as many rows as x, 6, got 1.'),
    );
  });
});
