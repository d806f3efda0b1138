/** @file What may go with a batch: weights, and whatever of the context a selector looks at. */

import type {Tensor} from '@tensorflow/tfjs-core';
import type {SelectionContext} from '../types';
import type {ClassWeights} from './classWeights';

/**
 * What a row counts: `float32[B]`, as a tensor or numbers; for several outputs one for all, a list or a record. When elements are mined, a tensor
 * may have their shape, `float32[B, …]`, and say what each element counts.
 */
export type SampleWeights = Tensor | ArrayLike<number> | Tensor[] | Record<string, Tensor>;

export function isNumbers(given: SampleWeights): given is ArrayLike<number> {
  return ArrayBuffer.isView(given) || (Array.isArray(given) && typeof given[0] === 'number');
}

/** The parts of a selector's context that have a value for each row, or for each element as `[B, …]`. */
export type PerRowContext = 'valid' | 'positive' | 'group' | 'reference' | 'overlap' | 'boxes';

/** The context of a selector as a step is given it. */
export type GivenContext = Omit<SelectionContext, PerRowContext> & {[name in PerRowContext]?: Tensor};

/** What a selector may want to know of each row of the data, or of each of its elements; see {@link SelectionContext}. */
export type RowContext = Pick<StepOptions, PerRowContext>;

/**
 * What belongs to one batch beside `xs` and `ys`: weights, and whatever of the context the selector
 * looks at. When elements are mined, what has a value for each row (`valid`, `positive`, `group`,
 * `reference`, `overlap`, `boxes`) has one for each element, as `[B·P]` or `[B, …]`. All of them
 * but `boxes` may have a last axis of 1, as masks of labels `[B, 1]` or `[B, …, 1]` do.
 */
export interface StepOptions extends GivenContext {
  /** What each row counts, `float32[B]`, or each element, `float32[B, …]`; applied before selection. */
  sampleWeight?: SampleWeights;
  /** What the rows or elements of each class count, `{0: 1, 1: 5}`; applied before selection. */
  classWeight?: ClassWeights;
}

const NAMES: Record<keyof StepOptions, true> = {
  ...{sampleWeight: true, classWeight: true, step: true, valid: true, positive: true, group: true, boxes: true},
  ...{reference: true, yTrue: true, yPred: true, memory: true, schedule: true, threshold: true},
  ...{features: true, validation: true, overlap: true, rowWeights: true},
};

/** The names of what may go with a batch. */
export const BATCH_OPTIONS = Object.keys(NAMES);
