import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  all,
  type ClassWeightSchedule,
  categoricalCrossentropy,
  classBalanced,
  type FitOhemArgs,
  fitOhem,
  resumeTraining,
  saveTraining,
} from 'ohem-tfjs';
import {beforeAll, describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {RUNS} from '../support/property';
import {valuesOf} from '../support/tensors';

const EXACT = {absolute: 1e-12, relative: 1e-12};

describe('classBalanced', () => {
  it('weighs classes by their effective number of examples', () => {
    const weights = Object.values(classBalanced([1000, 100, 10], {beta: 0.999}));
    expectClose(weights, [0.04216, 0.28, 2.677839], {absolute: 1e-6, relative: 2e-5});
    // The weights of a deferred schedule of LDAM-DRW, as its own code computes them.
    const ofPeer = Object.values(classBalanced([1000, 100, 10]));
    expectClose(ofPeer, [0.0283624, 0.2712551, 2.7003825], {absolute: 1e-6, relative: 1e-6});
  });

  it('is the formula for any counts, adds up to the number of classes, and weighs rare classes most', () => {
    const counts = fc.array(fc.integer({min: 1, max: 5000}), {minLength: 1, maxLength: 12});
    const property = fc.property(counts, fc.constantFrom(0, 0.5, 0.9, 0.99, 0.999), (of, beta) => {
      const weights = Object.values(classBalanced(of, {beta}));
      const plain = of.map((count) => (1 - beta) / (1 - beta ** count));
      const total = plain.reduce((sum, weight) => sum + weight, 0);
      const near = {absolute: 1e-9, relative: 1e-9};
      expectClose(
        weights,
        plain.map((weight) => (weight * of.length) / total),
        near,
      );
      expectClose([weights.reduce((sum, weight) => sum + weight, 0)], [of.length], near);
      of.forEach((count, label) => {
        for (const [other, weight] of weights.entries()) {
          if (count < (of[other] as number)) expect(weights[label] as number).toBeGreaterThanOrEqual(weight - 1e-12);
        }
      });
    });
    fc.assert(property, RUNS);
  });

  it('weighs all alike for a beta of 0, and nearly by 1 / n next to 1', () => {
    expect(classBalanced([1000, 1], {beta: 0})).toEqual({0: 1, 1: 1});
    const weights = Object.values(classBalanced(Int32Array.from([1000, 10]), {beta: 1 - 1e-12}));
    expectClose([(weights[1] as number) / (weights[0] as number)], [100], {absolute: 0, relative: 1e-6});
  });

  it('refuses a class without examples, and a beta of 1', () => {
    expect(() => classBalanced([10, 0])).toThrow(
      new RangeError(
        'classBalanced: counts must hold integers >= 1, got 0 at position 1. ' +
          'Its weight would be infinite: leave out a class without examples.',
      ),
    );
    expect(() => classBalanced([1.5, 2])).toThrow(
      new RangeError(
        'classBalanced: counts must hold integers >= 1, got 1.5 at position 0. Pass the number of examples in each class.',
      ),
    );
    for (const beta of [1, -0.1, Number.NaN]) {
      expect(() => classBalanced([10, 1], {beta})).toThrow(
        new RangeError(`classBalanced: beta must be in [0, 1), got ${beta}.`),
      );
    }
    expect(() => classBalanced([])).toThrow('classBalanced: counts must be a list of numbers, one for each class');
  });
});

describeOnBackends('classBalanced', () => {
  const [yTrue, yPred] = [
    [1, 0, 0, 1],
    [0.5, 0.5, 0.25, 0.75],
  ];
  it('is for the weights of a loss, as a list', () => {
    const weights = Object.values(classBalanced([9, 1], {beta: 0.9}));
    const losses = categoricalCrossentropy({classWeights: weights})(
      tf.tensor2d(yTrue, [2, 2]),
      tf.tensor2d(yPred, [2, 2]),
    );
    expectClose(losses, [Math.LN2 * (weights[0] as number), Math.log(4 / 3) * (weights[1] as number)], {
      ...{absolute: 1e-6, relative: 1e-6},
    });
  });
});

describe('Class weights that are a function of the progress', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  const build = () => {
    const kernelInitializer = {className: 'GlorotNormal', config: {seed: 1}} as never;
    return sequential({layers: [layers.dense({units: 2, activation: 'softmax', inputShape: [3], kernelInitializer})]});
  };
  const x = () => tf.randomNormal([20, 3], 0, 1, 'float32', 5);
  const y = () =>
    tf.oneHot(
      tf.tensor1d(
        Array.from({length: 20}, (_, row) => +(row % 5 === 0)),
        'int32',
      ),
      2,
    );
  const options = (more: FitOhemArgs): FitOhemArgs => ({
    ...{loss: categoricalCrossentropy(), select: all(), optimizer: tf.train.sgd(0.5), verbose: 0, seed: 1},
    ...{batchSize: 5, epochs: 4, ...more},
  });
  const weightsAfter = async (more: FitOhemArgs, model = build()) => {
    await fitOhem(model, x(), y(), options(more));
    return model.getWeights().flatMap((weight) => valuesOf(() => weight));
  };
  const deferred: ClassWeightSchedule = ({progress}) => classBalanced([16, 4], {beta: progress < 0.5 ? 0 : 0.999});

  it('are computed before each step', async () => {
    const seen: Parameters<ClassWeightSchedule>[0][] = [];
    await weightsAfter({
      classWeight: (at) => {
        seen.push(at);
        return null;
      },
    });
    expect(seen.map(({step}) => step)).toEqual(Array.from({length: 16}, (_, step) => step));
    expectClose(
      seen.map(({progress}) => progress),
      seen.map((_, step) => step / 16),
      EXACT,
    );
  });

  it('train as these weights do: none at first, then those of the classes', async () => {
    expect(await weightsAfter({classWeight: () => null})).toEqual(await weightsAfter({}));
    const weights = classBalanced([16, 4], {beta: 0.999});
    expect(await weightsAfter({classWeight: () => weights})).toEqual(await weightsAfter({classWeight: weights}));
    const byHand = build();
    const optimizer = tf.train.sgd(0.5);
    await fitOhem(byHand, x(), y(), options({optimizer, epochs: 2}));
    const inTwoRuns = await weightsAfter({optimizer, initialEpoch: 2, classWeight: weights}, byHand);
    expect(await weightsAfter({classWeight: deferred})).toEqual(inTwoRuns);
  });

  it('are the same in a run that was saved and resumed', async () => {
    const whole = await weightsAfter({classWeight: deferred});
    let artifacts: unknown;
    const [model, again] = [build(), build()];
    const target = {
      async save(saved: unknown) {
        artifacts = saved;
        return {modelArtifactsInfo: {dateSaved: new Date()}};
      },
    };
    const checkpoint = async (state: Parameters<NonNullable<FitOhemArgs['checkpoint']>>[0]) => {
      if (state.epoch === 3) await saveTraining(target as never, model, state);
    };
    model.compile({optimizer: tf.train.sgd(0.5), loss: 'meanSquaredError'});
    again.compile({optimizer: tf.train.sgd(0.5), loss: 'meanSquaredError'});
    await fitOhem(model, x(), y(), options({optimizer: model.optimizer, classWeight: deferred, checkpoint}));
    const initialState = await resumeTraining({load: async () => artifacts} as never, again);
    await fitOhem(again, x(), y(), {
      ...options({optimizer: again.optimizer, classWeight: deferred}),
      seed: undefined as never,
      initialState,
    });
    expect(again.getWeights().flatMap((weight) => valuesOf(() => weight))).toEqual(whole);
  });

  it('refuse to be anything else', async () => {
    await expect(weightsAfter({classWeight: () => 3 as never})).rejects.toThrow(
      new TypeError('fitOhem: classWeight must return a record like {0: 1, 1: 5}, got 3.'),
    );
    await expect(weightsAfter({classWeight: (async () => ({0: 1, 1: 5})) as never})).rejects.toThrow(
      new TypeError(
        'fitOhem: classWeight must return a record like {0: 1, 1: 5}, got a promise. Await asynchronous work before the run.',
      ),
    );
    await expect(weightsAfter({classWeight: () => ({2: 1})})).rejects.toThrow(
      'fitOhem: classWeight must have classes from 0 to 1 as keys, got 2.',
    );
  });
});
