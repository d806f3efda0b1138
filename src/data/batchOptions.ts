/** @file Options of one batch: weights, and the context of the selector. */

import type {Tensor} from '@tensorflow/tfjs-core';
import type {SelectionContext} from '../types';
import type {ClassWeights} from './classWeights';

/**
 * Row weights `float32[B]`, as a tensor or numbers.
 *
 * For several outputs one tensor for all, a list or a record. When elements are mined, a tensor may
 * have their shape, `float32[B, …]`.
 */
export type SampleWeights = Tensor | ArrayLike<number> | Tensor[] | Record<string, Tensor>;

export function isNumbers(given: SampleWeights): given is ArrayLike<number> {
  return ArrayBuffer.isView(given) || (Array.isArray(given) && typeof given[0] === 'number');
}

/** The parts of a selector's context with a value for each row, or for each element as `[B, …]`. */
export type PerRowContext = 'valid' | 'positive' | 'group' | 'reference' | 'overlap' | 'boxes';

/** The context of a selector in the form that a step accepts. */
export type GivenContext = Omit<SelectionContext, PerRowContext> & {[name in PerRowContext]?: Tensor};

/** Optional context for each row or element of the data; see {@link SelectionContext}. */
export type RowContext = Pick<StepOptions, PerRowContext>;

/**
 * Optional arguments of one batch besides `xs` and `ys`: weights, and the context of the selector.
 *
 * When elements are mined, `valid`, `positive`, `group`, `reference`, `overlap` and `boxes` have a
 * value for each element, as `[B·P]` or `[B, …]`. All of them but `boxes` may have a last axis of
 * 1, as masks of labels `[B, 1]` or `[B, …, 1]` do.
 */
export interface StepOptions extends GivenContext {
  /** Weight of each row, `float32[B]`, or element, `float32[B, …]`; applied before selection. */
  sampleWeight?: SampleWeights;
  /** Weight of each class, `{0: 1, 1: 5}`, for rows or elements; applied before selection. */
  classWeight?: ClassWeights;
}

const NAMES: Record<keyof StepOptions, true> = {
  ...{sampleWeight: true, classWeight: true, step: true, valid: true, positive: true, group: true, boxes: true},
  ...{reference: true, yTrue: true, yPred: true, memory: true, schedule: true, threshold: true},
  ...{features: true, validation: true, overlap: true, rowWeights: true, binary: true, logits: true},
  ...{model: true},
};

/** The names of the options of one batch. */
export const BATCH_OPTIONS = Object.keys(NAMES);
