import {
  concat,
  dispose,
  engine,
  memory,
  oneHot,
  randomNormal,
  Tensor,
  tensor1d,
  tensor2d,
  tidy,
  train,
} from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  all,
  categoricalCrossentropy,
  meanSquaredError,
  ohemStep,
  perSampleLosses,
  sparseCategoricalCrossentropy,
} from 'ohem-tfjs';
import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {RUNS} from '../support/property';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';
import {twoOutputs} from '../support/twoOutputs';

const close = {absolute: 1e-6, relative: 1e-5};
const loss = categoricalCrossentropy();

describeOnBackends('perSampleLosses', () => {
  let xs: Tensor;
  let ys: Tensor;
  beforeEach(() => {
    [xs, ys] = [tinyXs(), tinyYs()];
  });
  afterEach(() => {
    vi.restoreAllMocks();
    dispose([xs, ys]);
  });

  it('gives −log p of the true class of each row', async () => {
    const losses = await perSampleLosses(tinyModel(), xs, ys, {loss});
    // Logits x·w: [1, −1], [0.5, 2], [2, −2], [1, 4], [−1.5, −1], [0, −5]; the label is class 0, 1,
    // 0, 0 | 0, 1, 1.
    const logits = tidy(() => [...(tinyModel().predict(xs) as Tensor).dataSync()]);
    const truth = [...ys.dataSync()];
    const expected = [0, 1, 2, 3, 4, 5].map(
      (row) => -Math.log(logits[2 * row + (truth[2 * row] === 1 ? 0 : 1)] as number),
    );
    expect(losses).toBeInstanceOf(Float32Array);
    expectClose(losses, expected, close);
  });

  it('gives the same losses whatever the batch size', async () => {
    const model = tinyModel();
    const whole = await perSampleLosses(model, xs, ys, {loss, batchSize: 6});
    for (const batchSize of [1, 2, 4, 5, 100]) {
      expectClose(await perSampleLosses(model, xs, ys, {loss, batchSize}), whole, close);
    }
  });

  it('gives the losses that a step reports', async () => {
    const model = tinyModel();
    const expected = await perSampleLosses(model, xs, ys, {loss});
    const report = ohemStep(model, {loss, select: all(), optimizer: train.sgd(0.1)})(xs, ys);
    expectClose(report.losses, expected, close);
    report.dispose();
  });

  it('takes the loss that the model was compiled with, or one by its name', async () => {
    const model = tinyModel();
    const byName = await perSampleLosses(model, xs, ys, {loss: 'meanSquaredError'});
    expectClose(byName, await perSampleLosses(model, xs, ys, {loss: meanSquaredError()}), close);
    model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
    expectClose(await perSampleLosses(model, xs, ys), byName, close);
  });

  it('sums the weighted losses of several outputs, from lists or records of several inputs', async () => {
    const {model, x, y} = twoOutputs();
    const [one, other] = await Promise.all(
      [
        [1, 0],
        [0, 1],
      ].map((lossWeights) => perSampleLosses(model, x, y, {loss: meanSquaredError(), lossWeights, batchSize: 2})),
    );
    const both = await perSampleLosses(
      model,
      {b: x[1], a: x[0]},
      {left: y[0], right: y[1]},
      {
        loss: {left: 'meanSquaredError', right: meanSquaredError()},
        lossWeights: {right: 3},
      },
    );
    expectClose(
      both,
      Array.from(one as Float32Array, (value, row) => value + 3 * (other?.[row] as number)),
      close,
    );
  });

  it('runs the model in inference mode: dropout drops nothing', async () => {
    const model = sequential({
      layers: [
        layers.dropout({rate: 0.9, inputShape: [2]}),
        layers.dense({units: 2, activation: 'softmax', weights: tinyModel().getWeights()}),
      ],
    });
    expectClose(
      await perSampleLosses(model, xs, ys, {loss}),
      await perSampleLosses(tinyModel(), xs, ys, {loss}),
      close,
    );
  });

  it('takes one value a row as one feature, as tfjs does', async () => {
    const model = sequential({layers: [layers.dense({units: 1, kernelInitializer: 'ones', inputShape: [1]})]});
    const losses = await perSampleLosses(model, tensor1d([1, 2]), tensor1d([1, 0]), {loss: meanSquaredError()});
    expect([...losses]).toEqual([0, 4]);
  });

  it('gives a row without a label that counts the loss 0', async () => {
    const sparse = sparseCategoricalCrossentropy({ignoreLabel: 255});
    const labels = tensor1d([0, 255, 0, 0, 1, 1], 'int32');
    const losses = await perSampleLosses(tinyModel(), xs, labels, {loss: sparse});
    expect(losses[1]).toBe(0);
    expect(losses[0]).toBeGreaterThan(0);
  });

  it('marks rows whose input is not finite with NaN, also behind a ReLU, and keeps infinite losses', async () => {
    const model = sequential({
      layers: [
        layers.dense({units: 3, activation: 'relu', inputShape: [2]}),
        layers.dense({units: 2, activation: 'softmax'}),
      ],
    });
    const x = tensor2d([
      [1, 2],
      [Number.NaN, 1],
      [Number.POSITIVE_INFINITY, 0],
      [2, 1],
    ]);
    const y = tensor2d([
      [1, 0],
      [1, 0],
      [0, 1],
      [Number.POSITIVE_INFINITY, 0],
    ]);
    const losses = await perSampleLosses(model, x, y, {loss});
    expect(losses[0]).toBeGreaterThan(0);
    expect([...losses.subarray(1)]).toEqual([Number.NaN, Number.NaN, Number.POSITIVE_INFINITY]);
  });

  it('gives every row its own loss, for random data and batch sizes', async () => {
    const model = tinyModel();
    await fc.assert(
      fc.asyncProperty(fc.integer({min: 1, max: 40}), fc.integer({min: 1, max: 45}), async (rows, batchSize) => {
        const x = randomNormal([rows, 2], 0, 1, 'float32', rows);
        const y = tidy(() =>
          oneHot(
            tensor1d(
              Array.from({length: rows}, (_, row) => (row * 7) % 2),
              'int32',
            ),
            2,
          ),
        );
        const expected = tidy(() => [...loss(y, model.predict(x) as Tensor).dataSync()]);
        expectClose(await perSampleLosses(model, x, y, {loss, batchSize}), expected, close);
        dispose([x, y]);
      }),
      {...RUNS, numRuns: 30},
    );
  });

  it('leaves no tensor behind, and the data and the weights as they are', async () => {
    const model = tinyModel();
    const [weights, before] = [weightValues(model), memory().numTensors];
    await perSampleLosses(model, xs, ys, {loss, batchSize: 4});
    expect(memory().numTensors).toBe(before);
    expect([xs.isDisposed, ys.isDisposed]).toEqual([false, false]);
    expect(weightValues(model)).toEqual(weights);
  });

  it('leaves no tensor behind when the loss throws half way', async () => {
    const model = tinyModel();
    let calls = 0;
    const failing = (yTrue: Tensor, yPred: Tensor) => {
      if (++calls === 3) throw new Error('half way');
      return loss(yTrue, yPred);
    };
    const before = memory().numTensors;
    await expect(perSampleLosses(model, xs, ys, {loss: failing, batchSize: 2})).rejects.toThrow('half way');
    expect(memory().numTensors).toBe(before);
  });

  it('reads many batches at once, and copies no more than a batch of the data', async () => {
    const model = tinyModel();
    const [x, y] = [concat(Array(50).fill(xs)), concat(Array(50).fill(ys))];
    await perSampleLosses(model, x, y, {loss, batchSize: 10});
    const read = vi.spyOn(Tensor.prototype, 'data');
    const kernels = vi.spyOn(engine(), 'runKernel');
    await perSampleLosses(model, x, y, {loss, batchSize: 10});
    expect(read).toHaveBeenCalledTimes(1);
    const sizes = kernels.mock.results.map(({value}) => (value as Tensor).size);
    expect(Math.max(...sizes)).toBe(300);
  });

  it('yields to the event loop while it runs', async () => {
    const model = slowModel(8);
    const [x, y] = [concat(Array(20).fill(xs)), concat(Array(20).fill(ys))];
    let isDone = false;
    let turns = 0;
    const count = () => {
      turns++;
      if (!isDone) setTimeout(count, 0);
    };
    setTimeout(count, 0);
    await perSampleLosses(model, x, y, {loss, batchSize: 6});
    isDone = true;
    expect(turns).toBeGreaterThanOrEqual(2);
  });

  it('refuses what does not fit, by name, before the model runs', async () => {
    const model = tinyModel();
    const run = vi.spyOn(model, 'apply');
    const refusals: [Promise<unknown>, string][] = [
      [
        perSampleLosses(model, xs, ys),
        'perSampleLosses: loss must be given, or the model be compiled with one, got undefined. Pass {loss: categoricalCrossentropy()}.',
      ],
      [
        perSampleLosses(model, xs, tensor2d([[1, 0]]), {loss}),
        'perSampleLosses: y must have as many rows as x, 6, got 1.',
      ],
      [
        perSampleLosses(model, tensor2d([[1, 2, 3]]), tensor2d([[1, 0]]), {loss}),
        `perSampleLosses: x must have the shape of the input ${model.inputNames[0]}, [?, 2], got [1, 3].`,
      ],
      [
        perSampleLosses(model, tensor2d([], [0, 2]), tensor2d([], [0, 2]), {loss}),
        'perSampleLosses: x must have at least one row, got [0, 2].',
      ],
      [
        perSampleLosses(model, [[1, 2]] as never, ys, {loss}),
        'perSampleLosses: x must be a tensor, or tensors for dense',
      ],
      [perSampleLosses(model, xs, [ys, ys], {loss}), 'perSampleLosses: y must have 1 items'],
      [
        perSampleLosses(model, xs, ys, {loss, batchSize: 0}),
        'perSampleLosses: batchSize must be an integer >= 1, got 0.',
      ],
      [
        perSampleLosses(model, xs, ys, {loss, batch: 3} as never),
        'perSampleLosses: options must have the names loss, lossWeights, batchSize, got batch.',
      ],
      [
        perSampleLosses(model, xs, ys, {loss, lossWeights: [-1]}),
        'perSampleLosses: lossWeights must hold finite numbers >= 0, got [-1].',
      ],
      [
        perSampleLosses({} as LayersModel, xs, ys, {loss}),
        'perSampleLosses: model must be a LayersModel that can be built, got {}. Give its first layer an inputShape',
      ],
    ];
    for (const [refused, message] of refusals) await expect(refused).rejects.toThrow(message);
    expect(run).not.toHaveBeenCalled();
  });
});

/** The tiny model, which is slow: some milliseconds per batch. */
function slowModel(milliseconds: number): LayersModel {
  const model = tinyModel();
  const apply = model.apply.bind(model);
  vi.spyOn(model, 'apply').mockImplementation((...inputs) => {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
    return apply(...inputs);
  });
  return model;
}
