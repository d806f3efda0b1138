import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {fromLayersLoss, type LossName} from 'ohem-tfjs';
import {expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {leftBy, lossGradient} from '../support/tensors';

/**
 * The names in tfjs-layers 4.22 (`lossesMap` in its losses.ts), and where it shows the function
 * itself.
 */
const NAMES: Record<LossName, ((yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Tensor) | undefined> = {
  meanSquaredError: tfl.metrics.meanSquaredError,
  meanAbsoluteError: tfl.metrics.meanAbsoluteError,
  meanAbsolutePercentageError: tfl.metrics.meanAbsolutePercentageError,
  meanSquaredLogarithmicError: undefined,
  squaredHinge: undefined,
  hinge: undefined,
  categoricalHinge: undefined,
  logcosh: undefined,
  categoricalCrossentropy: tfl.metrics.categoricalCrossentropy,
  sparseCategoricalCrossentropy: undefined,
  binaryCrossentropy: tfl.metrics.binaryCrossentropy,
  kullbackLeiblerDivergence: undefined,
  poisson: undefined,
  cosineProximity: tfl.metrics.cosineProximity,
};

/**
 * The losses of tfjs-layers for a truth of [0, 1] and [1, 0], predicted as [0.3, 0.7] and [0.2,
 * 0.8].
 */
const BY_HAND: Record<string, [number, number]> = {
  meanSquaredLogarithmicError: [
    (Math.log(1.3) ** 2 + Math.log(2 / 1.7) ** 2) / 2,
    (Math.log(2 / 1.2) ** 2 + Math.log(1.8) ** 2) / 2,
  ],
  squaredHinge: [(1 ** 2 + 0.3 ** 2) / 2, (0.8 ** 2 + 1 ** 2) / 2],
  hinge: [(1 + 0.3) / 2, (0.8 + 1) / 2],
  categoricalHinge: [0.3 - 0.7 + 1, 0.8 - 0.2 + 1],
  logcosh: [Math.log(Math.cosh(0.3)), Math.log(Math.cosh(0.8))],
  sparseCategoricalCrossentropy: [-Math.log(0.7), -Math.log(0.2)],
  kullbackLeiblerDivergence: [-Math.log(0.7), -Math.log(0.2)],
  poisson: [(1 - Math.log(0.7)) / 2, (1 - Math.log(0.2)) / 2],
};

const truthOf = (name: string) =>
  name.startsWith('sparse')
    ? tf.tensor2d([[1], [0]])
    : tf.tensor2d([
        [0, 1],
        [1, 0],
      ]);
const predicted = () =>
  tf.tensor2d([
    [0.3, 0.7],
    [0.2, 0.8],
  ]);

describeOnBackends('fromLayersLoss', () => {
  it.each(Object.keys(NAMES) as LossName[])('finds %s by its name, one loss a row', (name) => {
    const [yTrue, yPred] = [truthOf(name), predicted()];
    const losses = fromLayersLoss(name)(yTrue, yPred);
    expect([losses.dtype, losses.shape]).toEqual(['float32', [2]]);
    const expected = NAMES[name]?.(yTrue, yPred) ?? BY_HAND[name];
    if (!expected) throw new Error(`no expectation for ${name}`);
    expectClose(losses, expected, {absolute: 1e-5, relative: 1e-5});
  });

  it.each(Object.keys(NAMES) as LossName[])('leaks nothing with %s, in value and gradient', (name) => {
    const [yTrue, yPred] = [truthOf(name), predicted()];
    const loss = fromLayersLoss(name);
    expect(leftBy(() => loss(yTrue, yPred))).toBe(0);
    expect(leftBy(() => tf.grad((x) => tf.sum(loss(yTrue, x)))(yPred))).toBe(0);
    expect([yTrue.isDisposed, yPred.isDisposed]).toEqual([false, false]);
  });

  it('takes a function as it is', () => {
    const loss = fromLayersLoss((yTrue, yPred) => tf.abs(tf.sub(yTrue, yPred)));
    const rows = [tf.tensor2d([[1, 2]]), tf.tensor2d([[3, 1]])] as const;
    expect(loss(...rows).shape).toEqual([1, 2]);
    expectClose(loss(...rows), [2, 1], {absolute: 0, relative: 0});
    expectClose(lossGradient(loss, ...rows), [1, -1], {absolute: 0, relative: 0});
  });

  it('refuses a name that tfjs-layers does not know', () => {
    expect(() => fromLayersLoss('crossEntropy' as never)).toThrow(
      new TypeError(
        'fromLayersLoss: idOrFunction must be the name of a loss of tfjs-layers, or a function, got crossEntropy. ' +
          'Pass a function (yTrue, yPred) => Tensor instead.',
      ),
    );
  });

  it.each([
    [undefined, 'undefined'],
    [5, '5'],
    [['hinge'], '[hinge]'],
    [{loss: 'hinge'}, '{loss}'],
    [{}, '{}'],
  ])('refuses %o, which is neither a name nor a function, without a word on the console', (given, shown) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      expect(() => fromLayersLoss(given as never)).toThrow(
        new TypeError(
          `fromLayersLoss: idOrFunction must be the name of a loss of tfjs-layers, or a function, got ${shown}. ` +
            'Pass a function (yTrue, yPred) => Tensor instead.',
        ),
      );
      expect(warn).not.toHaveBeenCalled();
    } finally {
      warn.mockRestore();
    }
  });

  it('refuses a loss that is one number for the whole batch, and disposes that number', () => {
    const loss = fromLayersLoss((yTrue, yPred) => tf.tidy(() => tf.mean(tf.sub(yTrue, yPred))));
    const [yTrue, yPred] = [truthOf('hinge'), predicted()];
    const left = leftBy(() => {
      expect(() => loss(yTrue, yPred)).toThrow(
        new TypeError(
          'fromLayersLoss: loss must return one value for each example, [B] or [B, …], got a scalar. ' +
            'Leave out the mean or the sum over the batch.',
        ),
      );
    });
    expect(left).toBe(0);
  });

  it('leaves nothing behind when a loss is looked up, found or not', () => {
    expect(leftBy(() => void fromLayersLoss('hinge'))).toBe(0);
    expect(leftBy(() => void expect(() => fromLayersLoss('nothing' as never)).toThrow())).toBe(0);
  });

  it('does not shift the automatic names of the layers and models that are made next', () => {
    const numbersOf = (make: () => {name: string}[]) => make().map(({name}) => Number(/\d+$/.exec(name)?.[0]));
    const make = () => [tfl.layers.dense({units: 1}), tfl.input({shape: [1]}), tfl.sequential()];
    const before = numbersOf(make);
    fromLayersLoss('hinge');
    expect(() => fromLayersLoss('nothing' as never)).toThrow();
    expect(numbersOf(make)).toEqual(before.map((number) => number + 1));
  });

  it('looks losses up on any backend without touching the one that is set', () => {
    const backend = tf.getBackend();
    fromLayersLoss('poisson');
    expect(tf.getBackend()).toBe(backend);
  });
});
