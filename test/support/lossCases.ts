import {type Tensor, tensor, tidy} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import type {PerSampleLoss} from 'ohem-tfjs';
import {expect} from 'vitest';
import {expectClose} from './close';
import {differencesByRow, lossesByRow, type RowLoss} from './lossOracles';
import {RUNS, randomFrom} from './property';
import {lossGradient} from './tensors';

/**
 * How the law of a loss is tried, its gradient against differences of its formula: on 200 random
 * cases.
 */
export const LOSS_RUNS = {...RUNS, numRuns: 200} as const;

/** Sizes of a batch `[B, …, width]` with up to two further axes, and a seed to fill it. */
export interface LossCase {
  shape: number[];
  width: number;
  seed: number;
}

export function lossCases({narrowest = 1} = {}): fc.Arbitrary<LossCase> {
  return fc
    .record({
      leading: fc.array(fc.integer({min: 1, max: 3}), {minLength: 1, maxLength: 3}),
      width: fc.integer({min: narrowest, max: 5}),
      seed: fc.integer(),
    })
    .map(({leading, width, seed}) => ({shape: [...leading, width], width, seed}));
}

/** `size` float32 numbers from `draw`. */
export function filled(shape: readonly number[], draw: () => number): number[] {
  return Array.from({length: shape.reduce((product, size) => product * size, 1)}, () => Math.fround(draw()));
}

export const uniform = (random: () => number, low: number, high: number) => () => low + (high - low) * random();

/** Probabilities that lie well within float32, in no need to sum to 1. */
export const probabilitiesFor = ({shape, seed}: LossCase): number[] =>
  filled(shape, uniform(randomFrom(seed), 1e-3, 0.999));

const logitsFor = ({shape, seed}: LossCase): number[] => filled(shape, uniform(randomFrom(seed), -15, 15));

export const predictionsFor = (sizes: LossCase, fromLogits: boolean): number[] =>
  fromLogits ? logitsFor(sizes) : probabilitiesFor(sizes);

/** One-hot rows for even seeds; for odd ones numbers between 0 and 1 as mixed labels are. */
export function truthFor({shape, width, seed}: LossCase): number[] {
  const random = randomFrom(seed + 1);
  if (seed % 2 !== 0) return filled(shape, random);
  return filled(shape.slice(0, -1), random).flatMap((drawn) =>
    Array.from({length: width}, (_, c) => (c === Math.floor(drawn * width) ? 1 : 0)),
  );
}

/**
 * Expects the values of a loss and its gradient to be those of its formula in float64, and
 * differences of it.
 */
export function expectAsOracle(
  loss: PerSampleLoss,
  oracle: RowLoss,
  {shape, width}: LossCase,
  truth: number[],
  predicted: number[],
  tensors: {yTrue?: Tensor} = {},
): void {
  tidy(() => {
    const yTrue = tensors.yTrue ?? tensor(truth, shape);
    const yPred = tensor(predicted, shape);
    const losses = loss(yTrue, yPred);
    expect([losses.dtype, losses.shape]).toEqual(['float32', shape.slice(0, -1)]);
    expectClose(losses, lossesByRow(oracle, truth, predicted, width), {absolute: 1e-5, relative: 1e-5});
    const gradient = lossGradient(loss, yTrue, yPred);
    expectClose(gradient, differencesByRow(oracle, truth, predicted, width), {absolute: 1e-4, relative: 1e-4});
  });
}

/**
 * Expects the loss that some options make to follow its formula in float64, in value and gradient,
 * on 200 random cases: for predictions in −15 … 15, or others of its own.
 */
export function expectLaw<O>(
  options: fc.Arbitrary<O>,
  make: (options: O, sizes: LossCase) => {loss: PerSampleLoss; oracle: RowLoss; predicted?: number[]},
): void {
  fc.assert(
    fc.property(lossCases(), options, (sizes, given) => {
      const {loss, oracle, predicted = logitsFor(sizes)} = make(given, sizes);
      expectAsOracle(loss, oracle, sizes, truthFor(sizes), predicted);
    }),
    LOSS_RUNS,
  );
}
