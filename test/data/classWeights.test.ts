import {reshape, type Tensor, tensor1d, tensor2d, train} from '@tensorflow/tfjs-core';
import {input, layers, model as layersModel, type SymbolicTensor, sequential} from '@tensorflow/tfjs-layers';
import {
  all,
  binaryCrossentropy,
  categoricalCrossentropy,
  fitOhem,
  hinge,
  type LossLike,
  meanSquaredError,
  ohemStep,
  sparseCategoricalCrossentropy,
  weightedSum,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {inProduction} from '../support/tensors';

const CLOSE = {absolute: 1e-5, relative: 1e-5};

/** Four rows of three features. */
const xs = () => tensor2d([1, 0, 2, 0, 1, -1, 2, 2, 0, -1, 1, 1], [4, 3]);
const modelOf = (units: number) =>
  sequential({layers: [layers.dense({units, inputShape: [3], kernelInitializer: 'ones', activation: 'sigmoid'})]});

/** The losses of a step, `float32[4]`. */
function lossesOf(units: number, loss: LossLike, ys: Tensor, classWeight?: object): number[] {
  const step = ohemStep(modelOf(units), {loss, select: all(), optimizer: train.sgd(0)});
  const {losses} = step(xs(), ys, classWeight ? {classWeight: classWeight as never} : {});
  return [...losses.dataSync()];
}

describeOnBackends('Class weights', () => {
  describe('refuse a class that does not exist, before anything is allocated for it,', () => {
    const labels = () => tensor1d([0, 1, 0, 1], 'int32');
    const oneHot = () => tensor2d([1, 0, 0, 1, 1, 0, 0, 1], [4, 2]);
    const cases: [string, number, () => LossLike, () => Tensor, string, number][] = [
      ['of integer labels', 2, () => sparseCategoricalCrossentropy(), labels, '4294967294', 1],
      ['of one-hot labels', 2, () => categoricalCrossentropy(), oneHot, '2', 1],
      ['of a yes-or-no label', 1, () => binaryCrossentropy(), labels, '2', 1],
      ['of a yes-or-no label by name', 1, () => 'binaryCrossentropy', labels, '5', 1],
      ['of an SVM', 1, () => hinge(), labels, '2', 1],
      ['of a sum of such losses', 1, () => weightedSum([{loss: binaryCrossentropy()}]), labels, '3', 1],
      ['of numbers', 1, () => meanSquaredError(), labels, '4294967294', 2 ** 24 - 1],
    ];
    it.each(cases)('%s', (_, units, loss, ys, name, last) => {
      const weights = {0: 1, [name]: 0};
      expect(() => lossesOf(units, loss(), ys(), weights)).toThrow(
        new RangeError(`ohemStep: classWeight must have classes from 0 to ${last} as keys, got ${name}.`),
      );
    });

    it('of one output among several, and in the name of fitOhem', async () => {
      const x = input({shape: [3]});
      const [a, b] = [3, 2].map((units) => layers.dense({units, activation: 'softmax'}).apply(x) as SymbolicTensor);
      const model = layersModel({inputs: x, outputs: [a, b] as SymbolicTensor[]});
      const options = {loss: sparseCategoricalCrossentropy(), optimizer: train.sgd(0), verbose: 0} as const;
      const ys = [labels(), labels()];
      const trained = (classWeight: object[]) => fitOhem(model, xs(), ys, {...options, classWeight} as never);
      await trained([{2: 4}, {1: 4}]);
      await expect(trained([{2: 4}, {2: 4}])).rejects.toThrow(
        'fitOhem: classWeight must have classes from 0 to 1 as keys, got 2.',
      );
    });
  });

  it('count the classes of numbers by name, however large', () => {
    const ys = tensor1d([3, 0, 200_000, 3]);
    const plain = lossesOf(1, meanSquaredError(), ys);
    const weighted = lossesOf(1, meanSquaredError(), ys, {3: 2, 200000: 0.5, 7: 9});
    expectClose(
      weighted,
      [2, 1, 0.5, 2].map((weight, row) => weight * (plain[row] as number)),
      CLOSE,
    );
  });

  it('count a yes-or-no label from ½ on as class 1, and −1 as class 0', () => {
    for (const [loss, values] of [
      [binaryCrossentropy(), [0.05, 0.95, 1, 0]],
      [hinge(), [-1, 1, 1, -1]],
    ] as const) {
      const ys = tensor2d([...values], [4, 1]);
      const plain = lossesOf(1, loss, ys);
      const weighted = lossesOf(1, loss, ys, {0: 3, 1: 5});
      expectClose(
        weighted,
        [3, 5, 5, 3].map((weight, row) => weight * (plain[row] as number)),
        CLOSE,
      );
    }
  });

  it('take one-hot labels for a loss of yes-or-no labels, as tfjs does', () => {
    const ys = tensor2d([1, 0, 0, 1, 0, 1, 1, 0], [4, 2]);
    const plain = lossesOf(2, binaryCrossentropy(), ys);
    const weighted = lossesOf(2, binaryCrossentropy(), ys, {0: 3, 1: 5});
    expectClose(
      weighted,
      [3, 5, 5, 3].map((weight, row) => weight * (plain[row] as number)),
      CLOSE,
    );
  });

  describe('refuse rows that have several labels, or none,', () => {
    const remedy =
      "Weight such rows by sampleWeight, or mine their labels one by one, with binaryCrossentropy() and {granularity: 'element'}.";
    const several = (): Tensor => tensor2d([1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1], [4, 3]);
    const none = (): Tensor => tensor2d([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1], [4, 3]);
    const cases: [string, () => LossLike, () => Tensor, number][] = [
      ['several, for yes-or-no labels', () => binaryCrossentropy(), several, 2],
      ['several, for classes', () => categoricalCrossentropy(), several, 2],
      ['none, for yes-or-no labels', () => 'binaryCrossentropy', none, 0],
    ];
    it.each(cases)('%s', (_, loss, ys, count) => {
      expect(() => lossesOf(3, loss(), ys(), {1: 5})).toThrow(
        new RangeError(`ohemStep: classWeight must go with rows of one class, got ${count} at position 2. ${remedy}`),
      );
    });

    it('and leave them out, and count them, where values may not be read', async () => {
      const step = ohemStep(modelOf(3), {loss: binaryCrossentropy(), select: all(), optimizer: train.sgd(0)});
      const report = inProduction(() => step(xs(), several(), {classWeight: {1: 5}}));
      expect([...report.losses.dataSync()].map(Number.isNaN)).toEqual([false, false, true, false]);
      expect((await report.read()).nonFinite).toBe(1);
    });

    it('but not a row without a label for classes', () => {
      const plain = lossesOf(3, categoricalCrossentropy(), none());
      const weighted = lossesOf(3, categoricalCrossentropy(), none(), {1: 5});
      expectClose(
        weighted,
        [1, 5, 1, 1].map((weight, row) => weight * (plain[row] as number)),
        CLOSE,
      );
    });
  });

  it('take labels of shape [B, 1] and [B]', () => {
    const ys = tensor1d([0, 1, 1, 0], 'int32');
    const weights = {0: 2, 1: 7};
    const flat = lossesOf(2, sparseCategoricalCrossentropy(), ys, weights);
    expect(lossesOf(2, sparseCategoricalCrossentropy(), reshape(ys, [4, 1]), weights)).toEqual(flat);
  });
});
