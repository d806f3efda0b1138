import * as tf from '@tensorflow/tfjs-core';
import {
  binaryCrossentropy,
  categoricalCrossentropy,
  ohemLoss,
  ohemStep,
  randomK,
  sparseCategoricalCrossentropy,
  topK,
} from 'ohem-tfjs';
import {describe, expect, it, vi} from 'vitest';
import {
  checkClosedUnitInterval,
  checkCount,
  checkedRate,
  checkFactor,
  checkFinite,
  checkFinitePositive,
  checkFunction,
  checkGiven,
  checkNotNegative,
  checkOneOf,
  checkRatio,
  checkRows,
  checkUnitInterval,
  checkValues,
  checkWeights,
  checkWhole,
  rangeError,
  typeError,
} from '../src/checks';
import {describeOnBackends} from './support/backends';
import {inProduction, leftBy} from './support/tensors';

describe('An error', () => {
  it('says function, argument, constraint, value and remedy', () => {
    expect(rangeError('f', 'x', 'be 1', 2)).toEqual(new RangeError('f: x must be 1, got 2.'));
    expect(typeError('f', 'x', 'be 1', 2, 'Pass 1.')).toEqual(new TypeError('f: x must be 1, got 2. Pass 1.'));
  });

  it.each([
    [3, '3'],
    ['mse', 'mse'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Number.NaN, 'NaN'],
    [[2, 3], '[2, 3]'],
    [[null, 3], '[?, 3]'],
    [[], '[]'],
    [[[1], ['a']], '[[1], [a]]'],
    [{k: 3, ratio: 1}, '{k, ratio}'],
    [{}, '{}'],
    [() => 3, 'a function'],
  ])('shows %o', (value, shown) => {
    expect(typeError('f', 'x', 'be 1', value).message).toBe(`f: x must be 1, got ${shown}.`);
  });
});

describe('checkCount', () => {
  it('takes whole numbers from 1', () => {
    for (const value of [1, 2, 1e9]) expect(() => checkCount('f', 'k', value)).not.toThrow();
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1' as never]) {
      expect(() => checkCount('f', 'k', value)).toThrow(
        new RangeError(`f: k must be an integer >= 1, got ${typeof value === 'string' ? `'${value}'` : value}.`),
      );
    }
  });
});

describe('checkRatio', () => {
  it('takes numbers over 0 up to 1', () => {
    for (const value of [1e-9, 0.5, 1]) expect(() => checkRatio('f', 'r', value)).not.toThrow();
    for (const value of [0, -1, 1.001, Number.NaN]) {
      expect(() => checkRatio('f', 'r', value)).toThrow(new RangeError(`f: r must be in (0, 1], got ${value}.`));
    }
  });
});

describe('checkUnitInterval', () => {
  it('takes numbers from 0 and under 1', () => {
    for (const value of [0, 0.5, 0.999]) expect(() => checkUnitInterval('f', 's', value)).not.toThrow();
    for (const value of [-0.001, 1, Number.NaN]) {
      expect(() => checkUnitInterval('f', 's', value)).toThrow(new RangeError(`f: s must be in [0, 1), got ${value}.`));
    }
  });
});

describe('checkClosedUnitInterval', () => {
  it('takes numbers from 0 to 1', () => {
    for (const value of [0, 0.5, 1]) expect(() => checkClosedUnitInterval('f', 'a', value)).not.toThrow();
    for (const value of [-0.001, 1.001, Number.NaN]) {
      expect(() => checkClosedUnitInterval('f', 'a', value)).toThrow(
        new RangeError(`f: a must be in [0, 1], got ${value}.`),
      );
    }
    expect(() => checkClosedUnitInterval('f', 'a', '1' as never)).toThrow(
      new RangeError("f: a must be in [0, 1], got '1'."),
    );
  });
});

describe('checkWhole', () => {
  it('takes integers from 0', () => {
    for (const value of [0, 1, 1e9]) expect(() => checkWhole('f', 'n', value)).not.toThrow();
    for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => checkWhole('f', 'n', value)).toThrow(new RangeError(`f: n must be an integer >= 0, got ${value}.`));
    }
    expect(() => checkWhole('f', 'n', '1' as never)).toThrow(new RangeError("f: n must be an integer >= 0, got '1'."));
  });
});

describe('checkFinite', () => {
  it('takes finite numbers', () => {
    for (const value of [-1e9, 0, 0.5]) expect(() => checkFinite('f', 'm', value)).not.toThrow();
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      expect(() => checkFinite('f', 'm', value)).toThrow(new RangeError(`f: m must be a finite number, got ${value}.`));
    }
    expect(() => checkFinite('f', 'm', '1' as never)).toThrow(new RangeError("f: m must be a finite number, got '1'."));
  });
});

describe('checkNotNegative', () => {
  it('takes finite numbers from 0', () => {
    for (const value of [0, 0.5, 1e9]) expect(() => checkNotNegative('f', 'g', value)).not.toThrow();
    for (const value of [-0.001, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => checkNotNegative('f', 'g', value)).toThrow(
        new RangeError(`f: g must be a finite number >= 0, got ${value}.`),
      );
    }
    expect(() => checkNotNegative('f', 'g', '1' as never)).toThrow(
      new RangeError("f: g must be a finite number >= 0, got '1'."),
    );
  });
});

describe('checkFactor', () => {
  it('takes finite numbers from 1', () => {
    for (const value of [1, 1.5, 1e300]) expect(() => checkFactor('f', 'p', value)).not.toThrow();
    for (const value of [0.999, 0, -2, Number.NaN, Number.POSITIVE_INFINITY, '2' as never]) {
      expect(() => checkFactor('f', 'p', value)).toThrow(
        new RangeError(`f: p must be a finite number >= 1, got ${typeof value === 'string' ? `'${value}'` : value}.`),
      );
    }
  });
});

describe('checkFunction', () => {
  it('takes functions only', () => {
    expect(() => checkFunction('f', 'g', 'be a function', Math.max)).not.toThrow();
    for (const [value, shown] of [
      [undefined, 'undefined'],
      [{a: 1}, '{a}'],
    ] as const) {
      expect(() => checkFunction('f', 'g', 'be a function', value, 'Pass one.')).toThrow(
        new TypeError(`f: g must be a function, got ${shown}. Pass one.`),
      );
    }
  });
});

describe('checkFinitePositive', () => {
  it('takes numbers over 0', () => {
    for (const value of [1e-9, 5]) expect(() => checkFinitePositive('f', 'x', value)).not.toThrow();
    for (const value of [0, -1, Number.NaN]) {
      expect(() => checkFinitePositive('f', 'x', value)).toThrow(
        new RangeError(`f: x must be a finite number > 0, got ${value}.`),
      );
    }
  });
});

describe('checkNotNegative', () => {
  it('takes finite numbers from 0', () => {
    for (const value of [0, 1e-9, 5]) expect(() => checkNotNegative('f', 'x', value)).not.toThrow();
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => checkNotNegative('f', 'x', value)).toThrow(
        new RangeError(`f: x must be a finite number >= 0, got ${value}.`),
      );
    }
  });
});

describe('checkGiven', () => {
  it('takes anything that is there, and says how to pass what is not', () => {
    expect(() => checkGiven('f', 'boxes', 0, 'four edges')).not.toThrow();
    expect(() => checkGiven('f', 'boxes', undefined, 'four edges')).toThrow(
      new TypeError(
        'f: boxes must be in the context, got undefined. Pass it with each batch: step(xs, ys, {boxes}), or {context: {boxes}} in fitOhem; four edges.',
      ),
    );
  });
});

describe('checkWeights', () => {
  it('takes finite numbers from 0', () => {
    for (const values of [[], [0], [0.5, 3]]) expect(() => checkWeights('f', 'w', values)).not.toThrow();
    for (const [values, shown] of [
      [[1, -1], '[1, -1]'],
      [[Number.NaN], '[NaN]'],
      [[Number.POSITIVE_INFINITY], '[Infinity]'],
    ] as const) {
      expect(() => checkWeights('f', 'w', values)).toThrow(
        new RangeError(`f: w must hold finite numbers >= 0, got ${shown}.`),
      );
    }
  });
});

describe('checkOneOf', () => {
  it('takes what is in the list, and shows the list', () => {
    expect(() => checkOneOf('f', 'x', 'a', ['a', 'b'])).not.toThrow();
    expect(() => checkOneOf('f', 'x', 'c', ['a', 'b', 'c'].slice(0, 2))).toThrow(
      new RangeError("f: x must be one of a, b, got 'c'."),
    );
  });
});

describeOnBackends('checkRows', () => {
  it('takes one value for each row', () => {
    expect(() => checkRows('f', 'valid', tf.ones([3]), 3)).not.toThrow();
    for (const [shape, shown] of [
      [[2], '[2]'],
      [[3, 1], '[3, 1]'],
      [[], '[]'],
    ] as const) {
      expect(() => checkRows('f', 'valid', tf.ones([...shape]), 3)).toThrow(
        new TypeError(`f: valid must have shape [3], one value for each row, got ${shown}.`),
      );
    }
  });
});

describeOnBackends('checkValues', () => {
  const check = (tensor: tf.Tensor, remedy?: string) =>
    checkValues('f', 'x', 'hold numbers < 3', tensor, (value) => value < 3, remedy);

  it('finds the first wrong value and where it is', () => {
    expect(() => check(tf.tensor1d([1, 2]))).not.toThrow();
    expect(() =>
      check(
        tf.tensor2d([
          [1, 3],
          [4, 0],
        ]),
      ),
    ).toThrow(new RangeError('f: x must hold numbers < 3, got 3 at position 1.'));
    expect(() => check(tf.tensor1d([Number.NaN]), 'Count again.')).toThrow(
      new RangeError('f: x must hold numbers < 3, got NaN at position 0. Count again.'),
    );
  });

  it('looks at nothing in production', () => {
    const tensor = tf.tensor1d([5]);
    const isRight = vi.fn(() => false);
    const look = () => checkValues('f', 'x', 'hold none', tensor, isRight);
    inProduction(() => expect(look).not.toThrow());
    expect(isRight).not.toHaveBeenCalled();
    expect(look).toThrow(RangeError);
    expect(isRight).toHaveBeenCalledWith(5);
  });

  it('leaks nothing', () => {
    const tensor = tf.tensor1d([5]);
    expect(leftBy(() => void expect(() => check(tensor)).toThrow(RangeError))).toBe(0);
  });
});

describe('checkValues elsewhere', () => {
  it('looks at nothing on a backend whose tensors are not in main memory', async () => {
    await tf.setBackend('cpu');
    const before = tf.getBackend();
    tf.registerBackend('far', () => tf.engine().registryFactory.cpu?.factory() as tf.KernelBackend, 0);
    try {
      await tf.setBackend('far');
      expect(() => checkValues('f', 'x', 'be less', tf.tensor1d([5]), () => false)).not.toThrow();
    } finally {
      await tf.setBackend(before);
      tf.removeBackend('far');
    }
  });
});

describe('Options with an unknown name', () => {
  it.each([
    ['ohemStep', () => ohemStep(undefined as never, {losses: 'hinge'} as never), 'losses'],
    ['ohemLoss', () => ohemLoss(categoricalCrossentropy(), topK({k: 1}), {reduce: 'sum'} as never), 'reduce'],
    ['topK', () => topK({k: 1, mink: 2} as never), 'mink'],
    ['randomK', () => randomK({k: 1, sead: 2} as never), 'sead'],
    ['categoricalCrossentropy', () => categoricalCrossentropy({logits: true} as never), 'logits'],
    ['sparseCategoricalCrossentropy', () => sparseCategoricalCrossentropy({ignore: 255} as never), 'ignore'],
    ['binaryCrossentropy', () => binaryCrossentropy({fromLogit: true} as never), 'fromLogit'],
  ])('are refused by %s', (name, build, option) => {
    const names = '(the names [\\w, …]+|known names)';
    expect(build).toThrow(
      new RegExp(`^${name}: options must have ${names}, got ${option}\\.( Did you mean '\\w+'\\?)?$`),
    );
  });

  it.each([
    ['losses', 'loss'],
    ['optimiser', 'optimizer'],
    ['clipnorm', 'clipNorm'],
    ['slect', 'select'],
  ])('are answered with the nearest one: %s', (name, meant) => {
    const build = () => ohemStep(undefined as never, {[name]: 1} as never);
    expect(build).toThrow(`ohemStep: options must have known names, got ${name}. Did you mean '${meant}'?`);
  });

  it('are answered with what there is if none is near', () => {
    expect(() => topK({k: 1, temperature: 2} as never)).toThrow(
      new TypeError('topK: options must have the names k, ratio, minK, got temperature.'),
    );
    expect(() => ohemStep(undefined as never, {temperature: 2} as never)).toThrow(
      'ohemStep: options must have the names loss, select, optimizer, reduction, lossWeights, rankBy, granularity, backward, …',
    );
  });
});

describe('checkedRate', () => {
  it.each([0, 1e-9, 0.1, 1e9])('passes on a rate of %s', (rate) => {
    expect(checkedRate('fitOhem', rate)).toBe(rate);
  });

  it.each([
    [Number.NaN, 'NaN'],
    [-0.1, '-0.1'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [undefined, 'undefined'],
    ['0.1', "'0.1'"],
  ])('refuses a rate of %s, in the name of the trainer', (rate, shown) => {
    const message = `fitOhem: learningRate must return a finite number >= 0, got ${shown}. Its argument is {step, epoch, progress}, with progress from 0 to 1.`;
    expect(() => checkedRate('fitOhem', rate)).toThrow(new RangeError(message));
  });
});
