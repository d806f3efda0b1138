import {
  memory,
  oneHot,
  reshape,
  sum,
  type Tensor,
  tensor,
  tensor1d,
  tensor3d,
  tidy,
  train,
  valueAndGrad,
  zeros,
} from '@tensorflow/tfjs-core';
import {
  all,
  categoricalCrossentropy,
  halfSquaredError,
  ohemLoss,
  ohemStep,
  type PerSampleLoss,
  type Selector,
  sparseCategoricalCrossentropy,
  topK,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {sequenceModel, sequencesFrom} from '../support/sequenceModel';
import {weightValues} from '../support/tinyModel';

const CLOSE = {absolute: 1e-5, relative: 1e-5};
const granularity = 'element';

/** Rows of places with one-hot labels. */
const oneHotSequences = (seed: number, batchSize: number, steps: number): [Tensor, Tensor] => {
  const {xs, labels} = sequencesFrom(seed, batchSize, steps);
  return [xs, tidy(() => reshape(oneHot(tensor1d(labels, 'int32'), 2), [batchSize, steps, 2]))];
};

describeOnBackends('ohemLoss that mines elements', () => {
  it.each(['mean', 'sum', 'batchMean'] as const)(
    'trains by fit as ohemStep does, with reduction %s',
    async (reduction) => {
      const [compiled, stepped] = [sequenceModel(4), sequenceModel(4)];
      const select = topK({ratio: 0.3});
      const loss = categoricalCrossentropy();
      compiled.compile({optimizer: train.sgd(0.1), loss: ohemLoss(loss, select, {reduction, granularity})});
      const step = ohemStep(stepped, {loss, select, reduction, optimizer: train.sgd(0.1), granularity});
      const [xs, ys] = oneHotSequences(3, 5, 4);
      const {history} = await compiled.fit(xs, ys, {epochs: 5, batchSize: 5, shuffle: false, verbose: 0});
      for (let t = 0; t < 5; t++) {
        expect(history.loss?.[t]).toBeCloseTo((await step(xs, ys).read()).loss, 4);
      }
      expectClose(weightValues(compiled).flat(), weightValues(stepped).flat(), CLOSE);
      expect(weightValues(compiled)).not.toEqual(weightValues(sequenceModel(4)));
    },
  );

  it('gives each row the mean over its elements, where those that are not selected count 0', () => {
    const yTrue = tensor3d([1, 0, 0, 1, 1, 0, 1, 0], [2, 2, 2]);
    const yPred = tensor3d([0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.4, 0.6], [2, 2, 2]);
    const loss = ohemLoss(categoricalCrossentropy(), topK({k: 2}), {granularity});
    // Two of four elements are kept: what is reduced to their mean is given back times 4 / 2.
    expectClose(loss(yTrue, yPred), [(2 * -Math.log(0.2)) / 2, (2 * -Math.log(0.4)) / 2], CLOSE);
    const {grad} = valueAndGrad((x) => sum(loss(yTrue, x)))(yPred);
    expect([...grad.dataSync()].map((value) => value !== 0)).toEqual([
      ...[false, false, true, true],
      ...[false, false, true, true],
    ]);
  });

  it('leaves ignored elements out, and gives 0 where all are', () => {
    const loss = ohemLoss(sparseCategoricalCrossentropy({ignoreLabel: 255}), all(), {granularity});
    const yPred = tensor3d([0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.4, 0.6], [2, 2, 2]);
    const labels = (...values: number[]) => tensor(values, [2, 2], 'int32');
    expectClose(loss(labels(255, 255, 1, 255), yPred), [0, (4 * -Math.log(0.3)) / 2], CLOSE);
    const {value, grad} = valueAndGrad((x) => sum(loss(labels(255, 255, 255, 255), x)))(yPred);
    expect([...value.dataSync(), ...grad.dataSync()]).toEqual(Array(9).fill(0));
  });

  it('hands the selector the row of each element as its group', () => {
    const groups: number[][] = [];
    const select: Selector = (losses, context) => {
      groups.push([...(context?.group?.dataSync() ?? [])]);
      return topK({k: 1})(losses, context);
    };
    const [, ys] = oneHotSequences(1, 2, 3);
    ohemLoss(categoricalCrossentropy(), select, {granularity})(ys, ys);
    ohemLoss(categoricalCrossentropy(), select)(ys, ys);
    expect(groups).toEqual([[0, 0, 0, 1, 1, 1], []]);
  });

  it('is the same where there are no further axes', () => {
    const [yTrue, yPred] = [tensor([1, 0, 0, 1], [2, 2]), tensor([0.3, 0.7, 0.4, 0.6], [2, 2])];
    const values = (['sample', 'element'] as const).map((of) => [
      ...ohemLoss(categoricalCrossentropy(), topK({k: 1}), {granularity: of})(yTrue, yPred).dataSync(),
    ]);
    expect(values[1]).toEqual(values[0]);
  });

  it('leaks nothing in fit, and when something throws', async () => {
    const model = sequenceModel(3);
    const loss = ohemLoss(categoricalCrossentropy(), topK({k: 2}), {granularity});
    model.compile({optimizer: train.adam(0.05), loss, metrics: ['accuracy']});
    const [xs, ys] = oneHotSequences(2, 4, 3);
    await model.fit(xs, ys, {epochs: 1, verbose: 0});
    const before = memory().numTensors;
    await model.fit(xs, ys, {epochs: 20, batchSize: 2, verbose: 0});
    expect(memory().numTensors).toBe(before);
    const scalar: PerSampleLoss = (_, yPred) => sum(yPred);
    expect(() => ohemLoss(scalar, all(), {granularity})(ys, ys)).toThrow('ohemLoss: loss must return one value');
    expect(memory().numTensors).toBe(before);
  });

  describe('refuses', () => {
    it('an unknown granularity, when it is built', () => {
      expect(() => ohemLoss(halfSquaredError(), all(), {granularity: 'pixel' as never})).toThrow(
        "ohemLoss: granularity must be one of sample, element, got 'pixel'.",
      );
    });

    it('truth that does not have the elements of the predictions', () => {
      const loss = ohemLoss(halfSquaredError(), all(), {granularity});
      expect(() => loss(zeros([2, 4, 2]), zeros([2, 3, 2]))).toThrow(
        'ohemLoss: yTrue must have the shape of the output yPred, with or without its last axis: [?, 3, …] or [?, 3], got [2, 4, 2].',
      );
    });

    it('a loss that does not give one value for each element', () => {
      const loss = ohemLoss((_, yPred) => yPred, all(), {granularity});
      expect(() => loss(zeros([2, 3, 2]), zeros([2, 3, 2]))).toThrow(
        'ohemLoss: loss must return one value for each element, float32 of shape [6] for yPred of shape [6, 2], got [6, 2]. ' +
          'It gets elements as rows: reduce over the last axis, and over no other.',
      );
    });
  });
});
