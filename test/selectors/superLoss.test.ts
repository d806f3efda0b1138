/** @file The weights of SuperLoss against float64, FastEstimator and AlanChou/Super-Loss. */
import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {all, categoricalCrossentropy, ohemStep, type SelectionContext, superLoss} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/superloss.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expOfMinusWInFloat64} from '../support/lambertW';
import {RUNS, randomFrom} from '../support/property';
import {lossRows, marks, selected} from '../support/selections';
import {leftBy, valuesOf} from '../support/tensors';
import {weightValues} from '../support/tinyModel';

interface Step {
  logits: number[];
  labels: number[];
  ce: number[];
  tau: number;
  fe_sigma: number[];
  ac_sigma?: number[];
  envelope_grad_logits: number[];
}

interface Case {
  name: string;
  params: {tau: 'logC' | 'exp' | number; lam: number; classes: number};
  steps: Step[];
}

const CASES = oracle.cases as unknown as Case[];
const CAPPED = -2 / Math.E;

/** The weights in the order of the rows. */
function weightsOf(
  options: Parameters<typeof superLoss>[0],
  losses: readonly number[],
  context: SelectionContext = {},
) {
  const {indices, weights} = selected(superLoss(options), losses, context);
  const ofRows = Array<number>(losses.length).fill(0);
  for (const [place, row] of indices.entries()) ofRows[row] = weights[place] as number;
  return ofRows;
}

/** exp(−W(½ max(β, −2/e))) in float64, of the loss as float32 has it. */
function weightInFloat64(loss: number, tau: number, lambda: number): number {
  const beta = (Math.fround(loss) - tau) / lambda;
  return expOfMinusWInFloat64(Math.max(beta, CAPPED) / 2);
}

function optionsOf({params: {tau, lam, classes}}: Case) {
  return {tau: tau === 'exp' ? ('ema' as const) : tau === 'logC' ? Math.log(classes) : tau, lambda: lam};
}

describe('The cases of SuperLoss', () => {
  it('are all there', () => {
    expect(CASES).toHaveLength(oracle.n_cases);
  });
});

describeOnBackends('superLoss', () => {
  it.each(CASES.map((one) => [one.name, one] as const))('has the weights and the mean of the peers: %s', (_, one) => {
    const options = optionsOf(one);
    let memory: tf.Tensor1D | null = null;
    for (const {ce, fe_sigma, ac_sigma, tau} of one.steps) {
      const context: SelectionContext = options.tau === 'ema' ? {memory} : {};
      const weights = weightsOf(options, ce, context);
      expectClose(
        weights,
        ce.map((loss) => weightInFloat64(loss, tau, options.lambda)),
        // Next to the cap a weight changes by the root of what the mean is rounded by.
        {
          absolute:
            options.tau === 'ema' && ce.some((loss) => Math.abs((loss - tau) / options.lambda - CAPPED) < 0.05)
              ? 1e-4
              : 5e-6,
          relative: 0,
        },
      );
      // FastEstimator caps at −1.9999998 / e: its largest weight is 2.716658.
      expectClose(weights, fe_sigma, {absolute: 2e-3, relative: 0});
      if (ac_sigma) expectClose(weights, ac_sigma, {absolute: 5e-6, relative: 0});
      if (options.tau !== 'ema') continue;
      memory = superLoss(options).remember?.(tf.tensor1d(ce), context) as tf.Tensor1D;
      expectClose(memory, [tau], {absolute: 2e-6, relative: 2e-6});
    }
  });

  it.each([
    [Math.log(100), 0.25],
    [Math.log(10), 1],
    [Math.log(2), 0.1],
    [1.3, 3],
    [-0.7, 0.01],
    [40, 10],
  ])('is within 3e-6 of float64 for any loss, also next to the largest weight: τ = %s, λ = %s', (tau, lambda) => {
    const random = randomFrom(7);
    const cap = tau - (2 * lambda) / Math.E;
    const uniform = Array.from({length: 10_000}, () => cap + lambda * (12 * random() - 1));
    const next = Array.from({length: 2000}, () => cap + lambda * 10 ** (-8 * random()));
    const losses = [...uniform, ...next, 4.42124].map(Math.fround);
    for (const by of ['a number', 'the mean'] as const) {
      const [middle, options, context] =
        by === 'a number'
          ? [tau, {tau, lambda}, {}]
          : [Math.fround(tau), {lambda, momentum: 1e-30}, {memory: tf.tensor1d([tau])}];
      const weights = weightsOf(options, losses, context);
      expectClose(
        weights,
        losses.map((loss) => weightInFloat64(loss, middle, lambda)),
        {absolute: 3e-6, relative: 0},
      );
    }
  });

  it.each(CASES.filter(({steps}) => steps.length === 1).map((one) => [one.name, one] as const))(
    'has the gradient of the peers in a step, by batchMean: %s',
    async (_, one) => {
      const {logits, labels, envelope_grad_logits: gradient} = one.steps[0] as Step;
      const {classes} = one.params;
      // A model of one weight matrix, on one-hot rows: its kernel are the logits.
      const rows = labels.length;
      const dense = layers.dense({units: classes, useBias: false, inputShape: [rows]});
      const model = sequential({layers: [dense]});
      dense.setWeights([tf.tensor2d(logits, [rows, classes])]);
      const step = ohemStep(model, {
        ...{loss: categoricalCrossentropy({fromLogits: true}), select: superLoss(optionsOf(one))},
        ...{optimizer: tf.train.sgd(1), reduction: 'batchMean'},
      });
      const report = step(tf.eye(rows), tf.oneHot(tf.tensor1d(labels, 'int32'), classes));
      expect((await report.read()).kept).toBe(rows);
      const moved = (weightValues(model)[0] as number[]).map((value, i) => (logits[i] as number) - value);
      // Its capped rows have FastEstimator's largest weight, 0.06 % less than e.
      expectClose(moved, gradient, {absolute: 3e-6, relative: 1e-3});
      step.dispose();
    },
  );

  it('is within 3e-6 of float64 for any loss, tau and lambda', () => {
    const numbers = {noNaN: true, noDefaultInfinity: true};
    const property = fc.property(
      fc.array(fc.float({min: 0, max: 2 ** 20, ...numbers}), {minLength: 1, maxLength: 40}),
      fc.float({min: -4, max: 8, ...numbers}),
      fc.constantFrom(0.25, 0.5, 1, 4),
      (losses, tau, lambda) => {
        const near = losses.map((loss, i) => (i % 2 === 0 ? loss : Math.fround(tau + loss / 2 ** 18)));
        expectClose(
          weightsOf({tau, lambda}, near),
          near.map((loss) => weightInFloat64(loss, tau, lambda)),
          {absolute: 3e-6, relative: 0},
        );
      },
    );
    fc.assert(property, RUNS);
  });

  it('weighs easy rows e, rows at tau 1, and hard ones less, hardest first', () => {
    const {indices, weights} = selected(superLoss({tau: Math.log(10)}), [0, 0.5, 1, Math.log(10), 3, 6]);
    expect(indices).toEqual([5, 4, 3, 2, 1, 0]);
    expectClose(weights, [0.441834, 0.765676, 1, Math.E, Math.E, Math.E], {absolute: 3e-6, relative: 0});
  });

  it('moves tau towards the mean of the rows that may be selected, before it weighs', () => {
    const select = superLoss({momentum: 0.25});
    const remembered = (losses: number[], context: SelectionContext) =>
      valuesOf(() => select.remember?.(tf.tensor1d(losses), context) as tf.Tensor);
    const [losses, valid] = [[1, 2, Number.NaN, 50], marks([1, 1, 1, 0])];
    expectClose(remembered(losses, {valid, memory: null}), [1.5], {absolute: 1e-6, relative: 0});
    const memory = tf.tensor1d([3.5]);
    expectClose(remembered(losses, {valid, memory}), [3], {absolute: 1e-6, relative: 0});
    const weights = weightsOf({momentum: 0.25}, losses, {valid, memory});
    const expected = [1, 2].map((loss) => weightInFloat64(loss, 3, 1));
    expectClose(weights, [...expected, 0, 0], {absolute: 3e-6, relative: 0});
  });

  it('keeps tau where no row may be selected, and begins with the first batch that has one', () => {
    const select = superLoss();
    const none = tf.tensor1d([Number.NaN, Number.POSITIVE_INFINITY]);
    const remembered = (losses: tf.Tensor1D, memory: tf.Tensor1D | null) =>
      select.remember?.(losses, {memory}) as tf.Tensor1D;
    expect([...remembered(none, tf.tensor1d([2])).dataSync()]).toEqual([2]);
    const nothing = remembered(none, null);
    expect([...nothing.dataSync()]).toEqual([Number.NaN]);
    expect([...remembered(tf.tensor1d([1, 3]), nothing).dataSync()]).toEqual([2]);
  });

  it('weighs as plain JavaScript does, whatever may not be selected', () => {
    const property = fc.property(lossRows, fc.integer(), (losses, seed) => {
      const random = randomFrom(seed);
      const valid = losses.map(() => (random() < 0.8 ? 1 : 0));
      const weights = tf.tidy(() => weightsOf({tau: 0.5}, losses, {valid: marks(valid)}));
      const isUsable = (row: number) => valid[row] === 1 && Number.isFinite(losses[row]);
      const expected = losses.map((loss, row) => (isUsable(row) ? weightInFloat64(loss, 0.5, 1) : 0));
      expectClose(weights, expected, {absolute: 3e-6, relative: 0});
    });
    fc.assert(property, RUNS);
  });

  it('carries tau through training, and takes other steps than all() does', () => {
    const after = (select: ReturnType<typeof superLoss>) => {
      const kernelInitializer = {className: 'GlorotNormal', config: {seed: 1}} as never;
      const dense = layers.dense({units: 2, activation: 'softmax', inputShape: [2], kernelInitializer});
      const model = sequential({layers: [dense]});
      const step = ohemStep(model, {loss: categoricalCrossentropy(), select, optimizer: tf.train.sgd(0.5)});
      const ys = tf.oneHot(tf.tensor1d([0, 1, 0], 'int32'), 2);
      const xs = tf.tensor2d([1, 0, 0, 1, 0, 2], [3, 2]);
      for (let t = 0; t < 5; t++) step(xs, ys).dispose();
      step.dispose();
      return weightValues(model).flat();
    };
    expect(after(superLoss()).every(Number.isFinite)).toBe(true);
    expect(after(superLoss())).not.toEqual(after(all()));
    expectClose(after(superLoss({lambda: 1e6})), after(all()), {absolute: 1e-4, relative: 0});
  });

  it('leaks nothing when it remembers', () => {
    const [losses, memory] = [tf.tensor1d([1, 2]), tf.tensor1d([1])];
    expect(leftBy(() => superLoss().remember?.(losses, {memory}) as tf.Tensor)).toBe(0);
  });

  it('refuses wrong options when it is built, and a wrong memory when it is called', () => {
    expect(() => superLoss({tau: Number.NaN})).toThrow(
      new RangeError("superLoss: tau must be a finite number or 'ema', got NaN. For C classes pass Math.log(C)."),
    );
    expect(() => superLoss({lambda: 0})).toThrow(
      new RangeError('superLoss: lambda must be a finite number > 0, got 0.'),
    );
    expect(() => superLoss({tau: 1e39})).toThrow(
      new RangeError('superLoss: tau must be from -1e37 to 1e37, for float32, got 1e+39.'),
    );
    for (const [lambda, got] of [
      [1e39, '1e+39'],
      [1e-46, '1e-46'],
    ] as const) {
      expect(() => superLoss({lambda})).toThrow(
        new RangeError(`superLoss: lambda must be from 1e-37 to 1e37, for float32, got ${got}.`),
      );
    }
    expect(() => superLoss({momentum: 0})).toThrow(new RangeError('superLoss: momentum must be in (0, 1], got 0.'));
    expect(() => superLoss()(tf.tensor1d([1]), {memory: tf.tensor1d([1, 2])})).toThrow(
      new TypeError(
        'superLoss: memory must be null or what remember() returned for the batch before, got a tensor float32[2].',
      ),
    );
    expect(superLoss({tau: 1}).remember).toBeUndefined();
  });
});
