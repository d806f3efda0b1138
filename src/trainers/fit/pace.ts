/** @file Progress of a run: the budget spent, and the current learning rate. */

import type {Optimizer} from '@tensorflow/tfjs-core';
import {checkedRate, checkFinitePositive, checkNotNegative, checkOptionNames, typeError} from '../../checks';
import type {LearningRateSchedule} from '../../types';
import type {TrainingState} from '../checkpoint/trainingState';

/** Limits of a run, which ends after the step that reaches one of them. */
export interface Budget {
  /** Rows run forward, including rows rescored for a sampler. */
  rows?: number;
  /** Rows trained on: the sum of `kept`. */
  backwardRows?: number;
  /** Seconds spent in steps and in scoring rows for a sampler, without validation and callbacks. */
  seconds?: number;
}

/** Costs of the run so far. */
export type Spent = Required<Budget>;

export const NOTHING_SPENT: Spent = {rows: 0, backwardRows: 0, seconds: 0};

const NAMES: readonly (keyof Budget)[] = ['rows', 'backwardRows', 'seconds'];

/** Checks a budget. */
export function checkBudget(where: string, budget: Budget | undefined): void {
  if (budget === undefined) return;
  if (typeof budget !== 'object') throw typeError(where, 'budget', 'be a record {rows, backwardRows, seconds}', budget);
  checkOptionNames(`${where}: budget`, budget, NAMES);
  for (const name of NAMES) if (budget[name] != null) checkFinitePositive(where, `budget.${name}`, budget[name]);
}

/**
 * Returns the share of the budget that is spent, of the limit nearest to its end; 0 without a
 * budget.
 */
export function spentShare(budget: Budget | undefined, spent: Spent): number {
  if (budget === undefined) return 0;
  return Math.max(0, ...NAMES.map((name) => spent[name] / (budget[name] ?? Number.POSITIVE_INFINITY)));
}

/**
 * Computes the share of a run that is done. If the length of an epoch is unknown, the length of the
 * previous epoch is used; in the first, only whole epochs count. If `rows`, the row count of the
 * epoch, is given, rows count instead of batches.
 */
export function progressOf(
  {epoch, batch, begun, batchesBefore, spent, totals}: TrainingState,
  {
    epochs,
    batchesPerEpoch,
    rows,
    budget,
  }: {epochs: number; batchesPerEpoch: number | undefined; rows?: number | undefined; budget: Budget | undefined},
): number {
  const batches = batchesPerEpoch ?? batchesBefore ?? Number.POSITIVE_INFINITY;
  const ofEpoch = rows === undefined ? batch / batches : totals.rows / rows;
  const ofEpochs = (epoch - begun + Math.min(ofEpoch, 1)) / Math.max(epochs - begun, 1);
  return Math.min(Math.max(ofEpochs, spentShare(budget, spent)), 1);
}

/** An optimizer whose learning rate can be set. */
type Rated = Optimizer & {learningRate?: number; setLearningRate?: (rate: number) => void};

/** Checks a learning rate, and that the optimizer accepts one. */
export function checkLearningRate(
  where: string,
  rate: number | LearningRateSchedule | undefined,
  optimizer: Rated,
): void {
  if (rate === undefined) return;
  if (typeof rate === 'number') checkNotNegative(where, 'learningRate', rate);
  else if (typeof rate !== 'function') {
    const remedy = 'Pass one of cosine(…), stepDecay(…), oneCycle(…), inverseSqrt(…).';
    throw typeError(where, 'learningRate', 'be a number or a function of {step, epoch, progress}', rate, remedy);
  }
  if (typeof optimizer.setLearningRate === 'function' || typeof optimizer.learningRate === 'number') return;
  const remedy = 'Give it a number learningRate, or a method setLearningRate(rate).';
  throw typeError(where, 'optimizer', 'have a learning rate that can be set', optimizer.getClassName?.(), remedy);
}

/**
 * Returns the current rate of an optimizer: that of the latest step, if a run resumes at the end of
 * an epoch.
 */
export function rateOf({learningRate}: Rated): number | undefined {
  return typeof learningRate === 'number' ? learningRate : undefined;
}

/** Sets the rate of an optimizer for the next step, and returns it. */
export function setRate(
  where: string,
  rate: number | LearningRateSchedule,
  optimizer: Rated,
  at: Parameters<LearningRateSchedule>[0],
): number {
  const due = typeof rate === 'number' ? rate : checkedRate(where, rate(at));
  putRate(optimizer, due);
  return due;
}

function putRate(optimizer: Rated, rate: number): void {
  if (optimizer.learningRate === rate && typeof optimizer.learningRate === 'number') return;
  if (typeof optimizer.setLearningRate === 'function') optimizer.setLearningRate(rate);
  else optimizer.learningRate = rate;
}

/** Scales the learning rate of an optimizer temporarily. */
export function rateScale(where: string) {
  let putBack: (() => void) | undefined;
  return {
    /**
     * Multiplies the rate of an optimizer.
     *
     * @param rate  the rate to multiply; default: the current one.
     * @returns the rate before scaling; undefined for the factor 1.
     */
    scale(optimizer: Rated, factor: number, rate = rateOf(optimizer)): number | undefined {
      if (factor === 1) return undefined;
      if (rate === undefined) {
        const remedy = 'Pass learningRate, or use a sampler without learningRateFactor.';
        const constraint = 'have a number learningRate for the learningRateFactor of a sampler';
        throw typeError(where, 'optimizer', constraint, optimizer.getClassName?.(), remedy);
      }
      const scaled = rate * factor;
      putRate(optimizer, scaled);
      putBack = () => {
        if (optimizer.learningRate === scaled) putRate(optimizer, rate);
      };
      return rate;
    },
    /** Restores the rate, unless it was changed since. */
    restore(): void {
      putBack?.();
      putBack = undefined;
    },
  };
}
