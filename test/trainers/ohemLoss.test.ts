import {memory, ones, sum, type Tensor, tensor1d, tensor2d, train, valueAndGrad, zeros} from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {
  all,
  categoricalCrossentropy,
  ohemLoss,
  ohemStep,
  type Reduction,
  sparseCategoricalCrossentropy,
  topK,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const CLOSE = {absolute: 1e-6, relative: 1e-5};

describeOnBackends('ohemLoss', () => {
  it.each(['mean', 'sum', 'batchMean'] as const)(
    'trains by trainOnBatch as ohemStep does, with reduction %s',
    async (reduction: Reduction) => {
      const [compiled, stepped] = [tinyModel(), tinyModel()];
      const select = topK({k: 2});
      compiled.compile({optimizer: train.sgd(0.1), loss: ohemLoss(categoricalCrossentropy(), select, {reduction})});
      const step = ohemStep(stepped, {loss: categoricalCrossentropy(), select, reduction, optimizer: train.sgd(0.1)});
      for (let t = 0; t < 5; t++) {
        const loss = await compiled.trainOnBatch(tinyXs(), tinyYs());
        expect(loss).toBeCloseTo((await step(tinyXs(), tinyYs()).read()).loss, 4);
      }
      weightValues(compiled).forEach((values, i) => {
        expectClose(values, weightValues(stepped)[i] as number[], CLOSE);
      });
    },
  );

  it('is the loss of tfjs where every row is kept', async () => {
    const [ours, theirs] = [tinyModel(), tinyModel()];
    ours.compile({optimizer: train.sgd(0.1), loss: ohemLoss(categoricalCrossentropy(), all())});
    theirs.compile({optimizer: train.sgd(0.1), loss: 'categoricalCrossentropy'});
    expect(await ours.trainOnBatch(tinyXs(), tinyYs())).toBeCloseTo(
      Number(await theirs.trainOnBatch(tinyXs(), tinyYs())),
      5,
    );
    weightValues(ours).forEach((values, i) => {
      expectClose(values, weightValues(theirs)[i] as number[], CLOSE);
    });
  });

  it('keeps three quarters of the batch where no selector is given', () => {
    const losses = ohemLoss(categoricalCrossentropy())(tinyYs(), ones([6, 2]));
    expect([...losses.dataSync()].filter((value) => value > 0).length).toBe(5);
  });

  it('gives a row that is not selected loss 0 and gradient 0', () => {
    const loss = ohemLoss(categoricalCrossentropy(), topK({k: 1}));
    const yTrue = tensor2d([
      [1, 0],
      [1, 0],
      [0, 1],
    ]);
    const yPred = tensor2d([
      [0.9, 0.1],
      [0.2, 0.8],
      [0.4, 0.6],
    ]);
    expectClose(loss(yTrue, yPred), [0, 3 * -Math.log(0.2), 0], CLOSE);
    const {grad} = valueAndGrad((x) => sum(loss(yTrue, x)))(yPred);
    const rows = [...grad.dataSync()];
    expect(rows.map((value) => value !== 0)).toEqual([false, false, true, true, false, false]);
  });

  it('gives rows that are not finite loss 0 and gradient 0, and a batch of them changes nothing', () => {
    const loss = ohemLoss(categoricalCrossentropy(), topK({k: 2}));
    const yTrue = tensor2d([
      [1, 0],
      [1, 0],
    ]);
    for (const [rows, expected] of [
      [
        [
          [Number.NaN, 0.1],
          [0.2, 0.8],
        ],
        [0, 2 * -Math.log(0.2)],
      ],
      [
        [
          [Number.NaN, 0.1],
          [Number.NaN, 0.8],
        ],
        [0, 0],
      ],
    ] as [number[][], number[]][]) {
      const {grad, value} = valueAndGrad((x) => sum(loss(yTrue, x)))(tensor2d(rows));
      expect(value.dataSync()[0]).toBeCloseTo((expected[0] as number) + (expected[1] as number), 5);
      expectClose(loss(yTrue, tensor2d(rows)), expected, CLOSE);
      expect([...grad.dataSync()].every(Number.isFinite)).toBe(true);
      expect([...grad.dataSync()].slice(0, 2)).toEqual([0, 0]);
    }
  });

  it('leaves ignored labels out', () => {
    const loss = ohemLoss(sparseCategoricalCrossentropy({ignoreLabel: 255}), topK({ratio: 0.5}));
    const yPred = tensor2d([
      [0.9, 0.1],
      [0.2, 0.8],
      [0.4, 0.6],
      [0.5, 0.5],
    ]);
    expectClose(loss(tensor1d([0, 255, 0, 255], 'int32'), yPred), [0, 0, 4 * -Math.log(0.4), 0], CLOSE);
  });

  it('works with fit, fitDataset-like batches, classWeight, metrics and validation, and leaks nothing', async () => {
    const model = sequential({layers: [layers.dense({units: 2, activation: 'softmax', inputShape: [2]})]});
    model.compile({
      optimizer: train.adam(0.05),
      loss: ohemLoss(categoricalCrossentropy(), topK({k: 2})),
      metrics: ['accuracy'],
    });
    const [xs, ys] = [tinyXs(), tinyYs()];
    const options = {
      epochs: 3,
      batchSize: 4,
      verbose: 0 as const,
      classWeight: {0: 1, 1: 2},
      validationData: [xs, ys] as [Tensor, Tensor],
    };
    await model.fit(xs, ys, options);
    const before = memory().numTensors;
    const history = await model.fit(xs, ys, {...options, epochs: 40});
    expect(memory().numTensors).toBe(before);
    const losses = history.history.loss as number[];
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)).toBeLessThan(losses[0] as number);
    expect(Object.keys(history.history).sort()).toEqual(['acc', 'loss', 'val_acc', 'val_loss']);
  });

  it('counts its calls, for selectors that draw at random', () => {
    const steps: (number | undefined)[] = [];
    const loss = ohemLoss(categoricalCrossentropy(), (losses, context) => {
      steps.push(context?.step);
      return topK({k: 1})(losses, context);
    });
    for (let t = 0; t < 3; t++) loss(tinyYs(), ones([6, 2]));
    expect(steps).toEqual([0, 1, 2]);
  });

  it('leaks nothing when something throws', () => {
    const failing = ohemLoss(categoricalCrossentropy(), () => {
      throw new Error('no selection today');
    });
    const scalar = ohemLoss(() => zeros([]));
    const [yTrue, yPred] = [tinyYs(), ones([6, 2])];
    const before = memory().numTensors;
    expect(() => failing(yTrue, yPred)).toThrow('no selection today');
    expect(() => scalar(yTrue, yPred)).toThrow(
      'ohemLoss: loss must return one value for each row, float32 of shape [6] or [6, …], got [].',
    );
    expect(memory().numTensors).toBe(before);
  });

  describe('refuses', () => {
    it('what is no loss, no selector or no reduction, when it is built', () => {
      expect(() => ohemLoss('categoricalCrossentropy' as never)).toThrow(
        "ohemLoss: loss must be a per-sample loss, got 'categoricalCrossentropy'. Build one: categoricalCrossentropy().",
      );
      expect(() => ohemLoss(categoricalCrossentropy(), {k: 1} as never)).toThrow(
        'ohemLoss: select must be a selector, got {k}. Build one: topK({ratio: 0.75}).',
      );
      expect(() => ohemLoss(categoricalCrossentropy(), all(), {reduction: 'none' as never})).toThrow(
        "ohemLoss: reduction must be one of mean, sum, batchMean, meanNonZero, got 'none'.",
      );
    });

    it('a selection that is none', () => {
      const loss = ohemLoss(categoricalCrossentropy(), () => ({indices: tensor1d([0.5]), weights: tensor1d([1])}));
      expect(() => loss(tinyYs(), ones([6, 2]))).toThrow(
        'ohemLoss: select must return indices int32[K], got float32[1].',
      );
    });
  });
});
