/** @file Gradients of the last dense layer, represented by their inner products alone. */

import {
  add,
  cast,
  where as chooseEach,
  expandDims,
  fill,
  greater,
  matMul,
  mul,
  square,
  sum,
  Tensor,
  type Tensor1D,
  type Tensor2D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {checkRows, typeError} from '../checks';
import type {SelectionContext} from '../types';
import {classErrors, type Predicted} from './classErrors';
import type {Batch} from './selector';

export interface LastLayerOptions {
  /** Whether `yPred` holds logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
  /** Whether the gradient of the bias counts too. */
  bias?: boolean;
}

/** Factors of the gradients `errors_i ⊗ features_i`. A type alias, so that `tf.tidy` accepts it. */
export type LastLayer = {
  /** `float32[B, C]`. */
  errors: Tensor2D;
  /** `float32[B, D]`. */
  features: Tensor2D;
};

type Given = Predicted & Pick<SelectionContext, 'features'>;

/**
 * Computes the factors of the row gradients, weighted by row; 0 for rows that cannot be selected.
 */
export function lastLayerOf(where: string, {losses, rows, context}: Batch, fromLogits: boolean): LastLayer {
  const {errors, features} = factorsOf(where, context, losses.size, fromLogits);
  const {rowWeights} = context;
  if (rowWeights !== undefined) checkRows(where, 'rowWeights', rowWeights, losses.size);
  const weighted = rowWeights ? mul<Tensor2D>(errors, expandDims(rowWeights, 1)) : errors;
  const column = expandDims(rows, 1);
  const ofRows = (values: Tensor2D): Tensor2D => chooseEach(column, values, zerosLike(values));
  return {errors: ofRows(weighted), features: ofRows(features)};
}

/** A finite value below any loss and any score. */
const LAST = -1e30;

/** Ranks rows of weight 0 last: their score of 0 would exceed a negative one. */
export function weightlessLast({rowWeights}: SelectionContext, scores: Tensor1D): Tensor1D {
  if (rowWeights === undefined) return scores;
  return chooseEach(greater(rowWeights, 0), scores, fill(scores.shape, LAST)) as Tensor1D;
}

/** Computes the factors of the gradients of `rows` rows. */
export function factorsOf(where: string, given: Given, rows: number, fromLogits: boolean): LastLayer {
  const features = featuresOf(where, given.features, rows);
  const errors = classErrors(where, given, rows, {fromLogits, mayBeBinary: true});
  return {errors: errors as Tensor2D, features};
}

function featuresOf(where: string, features: Tensor | undefined, rows: number): Tensor2D {
  if (features === undefined) {
    const remedy =
      'The trainers fill it in for a LayersModel with one output that ends in a dense layer, if the selector needs it. ' +
      'Wrap selectors by mapSelector, which keeps what they need.';
    throw typeError(where, 'features', 'be in the context', features, remedy);
  }
  if (!(features instanceof Tensor) || features.rank !== 2 || features.shape[0] !== rows) {
    const got = features instanceof Tensor ? features.shape : features;
    throw typeError(where, 'features', `have shape [${rows}, D], the input of the last dense layer`, got);
  }
  return cast(features, 'float32') as Tensor2D;
}

/** Computes all inner products of gradients, `(E Eᵀ) ∘ (H Hᵀ + 1)`; no `+ 1` without `bias`. */
export function gramOf(of: LastLayer, others: LastLayer, bias: boolean): Tensor2D {
  const ofFeatures = matMul(of.features, others.features, false, true);
  return mul(matMul(of.errors, others.errors, false, true), bias ? add(ofFeatures, 1) : ofFeatures);
}

/** The squared norms of the gradients, `float32[B]`. */
export function squaresOf({errors, features}: LastLayer, bias: boolean): Tensor1D {
  const ofFeatures = sum(square(features), 1);
  return mul(sum(square(errors), 1), bias ? add(ofFeatures, 1) : ofFeatures);
}
