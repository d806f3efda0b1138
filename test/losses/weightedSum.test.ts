import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  huber,
  meanAbsoluteError,
  meanSquaredError,
  ohemStep,
  type PerSampleLoss,
  sparseCategoricalCrossentropy,
  topK,
  type WeightedLoss,
  weightedSum,
} from 'ohem-tfjs';
import {expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw} from '../support/lossCases';
import {huberOracle, meanSquaredOracle, type RowLoss} from '../support/lossOracles';
import {leftBy, lossGradient, valuesOf} from '../support/tensors';
import {tinyModel, tinyXs} from '../support/tinyModel';

const NEAR = {absolute: 1e-6, relative: 1e-6};
const ofTruth: PerSampleLoss = (yTrue) => tf.mul(yTrue, 10);

/** A loss that is the truth itself, but NaN and not valid where that is `label`. */
const without = (label: number): PerSampleLoss =>
  Object.assign((yTrue: tf.Tensor) => tf.where(tf.equal(yTrue, label), tf.fill(yTrue.shape, Number.NaN), yTrue), {
    valid: (yTrue: tf.Tensor) => tf.notEqual(yTrue, label),
  });

describeOnBackends('weightedSum', () => {
  it('adds the losses, each with its weight, and 1 where there is none', () => {
    const loss = weightedSum([{loss: meanSquaredError()}, {loss: meanAbsoluteError(), weight: 0.5}]);
    const losses = loss(tf.tensor2d([[0], [0]]), tf.tensor2d([[2], [-3]]));
    expect([losses.dtype, losses.shape]).toEqual(['float32', [2]]);
    expectClose(losses, [4 + 1, 9 + 1.5], NEAR);
  });

  it('gives the values and the gradient of its formula in float64', () => {
    const weights = fc.tuple(fc.constantFrom(0, 0.5, 3), fc.constantFrom(0.25, 1));
    expectLaw(weights, ([first, second]) => ({
      loss: weightedSum([
        {loss: meanSquaredError(), weight: first},
        {loss: huber(), weight: second},
      ]),
      oracle: ((truth, predicted) =>
        first * meanSquaredOracle(truth, predicted) + second * huberOracle(1)(truth, predicted)) satisfies RowLoss,
    }));
  });

  it('counts an entry that counts for one of the losses, and adds 0 for the others, whatever they say of it', () => {
    const loss = weightedSum([{loss: without(1), weight: 10}, {loss: without(2)}]);
    const labels = tf.tensor1d([1, 2, 3]);
    expectClose(loss(labels, labels), [1, 20, 33], NEAR);
    expect(valuesOf(() => loss.valid?.(labels) as tf.Tensor)).toEqual([1, 1, 1]);
  });

  it('leaves an entry out that counts for none of the losses', () => {
    const loss = weightedSum([{loss: without(1)}, {loss: without(1)}]);
    const labels = tf.tensor2d([
      [1, 2],
      [3, 1],
    ]);
    expectClose(loss(labels, labels), [0, 4, 6, 0], NEAR);
    const valid = loss.valid?.(labels) as tf.Tensor;
    expect([valid.dtype, valid.shape, [...valid.dataSync()]]).toEqual(['float32', [2, 2], [0, 1, 1, 0]]);
  });

  it('counts every entry if one of the losses does', () => {
    const loss = weightedSum([{loss: without(1)}, {loss: ofTruth}]);
    expect(loss.valid).toBeUndefined();
    expectClose(loss(tf.tensor1d([1, 2]), tf.tensor1d([1, 2])), [10, 22], NEAR);
  });

  it('neither computes a loss of weight 0 nor asks it what counts', () => {
    const off = Object.assign(vi.fn(ofTruth), {valid: vi.fn((yTrue: tf.Tensor) => yTrue)});
    const loss = weightedSum([{loss: off, weight: 0}, {loss: without(1)}]);
    const labels = tf.tensor1d([1, 2]);
    expectClose(loss(labels, labels), [0, 2], NEAR);
    expect(valuesOf(() => loss.valid?.(labels) as tf.Tensor)).toEqual([0, 1]);
    expect(off).not.toHaveBeenCalled();
    expect(off.valid).not.toHaveBeenCalled();
  });

  it('keeps an ignored row out of a training step', () => {
    const crossentropy = sparseCategoricalCrossentropy({ignoreLabel: 255});
    const loss = weightedSum([{loss: crossentropy, weight: 2}]);
    const step = ohemStep(tinyModel(), {loss, select: topK({k: 6}), optimizer: tf.train.sgd(0.1)});
    const labels = tf.tensor2d([[0], [255], [1], [255], [0], [1]]);
    const report = step(tinyXs(), labels);
    expect([...report.selection.weights.dataSync()].filter((weight) => weight > 0)).toHaveLength(4);
    report.dispose();
    step.dispose();
  });

  it('leaks nothing, in value, valid, gradient and error', () => {
    const loss = weightedSum([{loss: without(1)}, {loss: without(2), weight: 2}]);
    const [labels, wide] = [tf.tensor1d([1, 3]), tf.ones([2, 3])];
    expect(leftBy(() => loss(labels, labels))).toBe(0);
    expect(leftBy(() => loss.valid?.(labels) as tf.Tensor)).toBe(0);
    const sum = weightedSum([{loss: meanSquaredError()}, {loss: huber()}]);
    expect(leftBy(() => tf.tensor1d(lossGradient(sum, wide, wide)))).toBe(0);
    const mixed = weightedSum([{loss: ofTruth}, {loss: meanSquaredError()}]);
    expect(leftBy(() => void expect(() => mixed(wide, wide)).toThrow())).toBe(0);
  });

  it('refuses losses of different shapes when it is called', () => {
    const mixed = weightedSum([{loss: ofTruth}, {loss: meanSquaredError()}]);
    expect(() => mixed(tf.ones([2, 3]), tf.ones([2, 3]))).toThrow(
      new TypeError(
        'weightedSum: losses must give one shape, got [2, 3] and [2]. Take the mean over the axes that some lack.',
      ),
    );
  });

  it('refuses a loss that is not built when it is called', () => {
    const unbuilt = weightedSum([{loss: meanSquaredError as never}]);
    expect(() => unbuilt(tf.ones([2, 3]), tf.ones([2, 3]))).toThrow(
      new TypeError('weightedSum: losses must return tensors, got a function. Build them first: meanSquaredError().'),
    );
  });

  it.each([
    [undefined, 'undefined'],
    [[], '[]'],
    [{loss: ofTruth}, '{loss}'],
    [ofTruth, 'a function'],
  ])('refuses %o, which is no list of losses', (given, shown) => {
    expect(() => weightedSum(given as never)).toThrow(
      new TypeError(`weightedSum: losses must be a list of one or more {loss, weight}, got ${shown}.`),
    );
  });

  it.each([
    [ofTruth, 'a function'],
    [{loss: 'hinge'}, '{loss}'],
    [{weight: 1}, '{weight}'],
    [null, 'null'],
    [undefined, 'undefined'],
  ])('refuses an entry %o, which is no loss, and says which', (entry, shown) => {
    expect(() => weightedSum([{loss: ofTruth}, entry as never])).toThrow(
      new TypeError(
        `weightedSum: losses[1] must be {loss, weight} with a function for its loss, got ${shown}. ` +
          'Pass {loss: meanSquaredError(), weight: 1}; for a name take fromLayersLoss(name).',
      ),
    );
  });

  it.each([
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    ['2' as never, "'2'"],
  ])('refuses a weight of %o', (weight, shown) => {
    expect(() => weightedSum([{loss: ofTruth, weight}])).toThrow(
      new RangeError(`weightedSum: losses[0].weight must be a finite number >= 0, got ${shown}.`),
    );
  });

  it('refuses unknown names in an entry, and weights of 0 only', () => {
    expect(() => weightedSum([{loss: ofTruth, weigth: 2} as WeightedLoss])).toThrow(
      new TypeError("weightedSum: options must have the names loss, weight, got weigth. Did you mean 'weight'?"),
    );
    expect(() => weightedSum([{loss: ofTruth, weight: 0}])).toThrow(
      new RangeError('weightedSum: losses must have a weight > 0, got weights of 0 only.'),
    );
  });
});
