/** @file How far a run has come: what it spent of its budget, and the learning rate that is due. */

import type {Optimizer} from '@tensorflow/tfjs-core';
import {checkedRate, checkFinitePositive, checkNotNegative, checkOptionNames, typeError} from '../../checks';
import type {LearningRateSchedule} from '../../types';
import type {TrainingState} from '../checkpoint/trainingState';

/** What a run may cost; it ends after the step that reaches one of them. */
export interface Budget {
  /** Rows that run forward, also those that a sampler has scored again. */
  rows?: number;
  /** Rows that are learned from: `kept`, summed up. */
  backwardRows?: number;
  /** Seconds spent in steps and in scoring rows for a sampler, without validation and callbacks. */
  seconds?: number;
}

/** What a run has cost so far. */
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

/** The share of a budget that is spent, of what is nearest to its end; 0 if there is none. */
export function spentShare(budget: Budget | undefined, spent: Spent): number {
  if (budget === undefined) return 0;
  return Math.max(0, ...NAMES.map((name) => spent[name] / (budget[name] ?? Number.POSITIVE_INFINITY)));
}

/**
 * The share of a run that is done. In an epoch whose length is not known, only whole epochs count, or as many batches as
 * the one before had. With `rows`, how many the epoch has, rows count in place of batches.
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

/** An optimizer with a rate that can be set. */
type Rated = Optimizer & {learningRate?: number; setLearningRate?: (rate: number) => void};

/** Checks a learning rate, and that the optimizer has one. */
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
  throw typeError(where, 'optimizer', 'have a learning rate to be set', optimizer.getClassName?.(), remedy);
}

/** The rate that an optimizer has: that of the latest step, if a run resumes at the end of an epoch. */
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

/** Multiplies the rate of an optimizer for a while. */
export function rateScale(where: string) {
  let putBack: (() => void) | undefined;
  return {
    /**
     * Multiplies the rate.
     *
     * @param rate  the rate to multiply, if the optimizer has another one now.
     * @returns that rate; undefined for the factor 1.
     */
    scale(optimizer: Rated, factor: number, rate = rateOf(optimizer)): number | undefined {
      if (factor === 1) return undefined;
      if (rate === undefined) {
        const remedy = 'Pass learningRate, or a sampler that gives no learningRateFactor.';
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
    /** Gives the optimizer its rate back, unless it was changed since. */
    restore(): void {
      putBack?.();
      putBack = undefined;
    },
  };
}
