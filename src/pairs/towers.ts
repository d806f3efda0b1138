/** @file Checks of the outputs of two towers, and the scores of their rows. */

import {cast, concat, fill, mul, Tensor, type Tensor1D, type Tensor2D, where} from '@tensorflow/tfjs-core';
import {checkOneOf, typeError} from '../checks';
import {offTape} from '../engine';
import {differentiableRows, type Space, spaceOf, vectorsOf} from './distances';

/** Similarity of the rows of two towers. */
export type TowerSimilarity = 'cosine' | 'dot';

/** Checks the similarity of two towers. */
export function towerSpace(name: string, similarity: TowerSimilarity): Space {
  checkOneOf(name, 'similarity', similarity, ['cosine', 'dot']);
  return spaceOf(name, {distance: similarity}, 'cosine');
}

/** Prepared embeddings with a gradient. */
export interface Tower {
  /** `float32[B, D]`; rows that are not finite are 0. */
  rows: Tensor2D;
  /** `float32[B, 1]`, 1 for rows that are finite. */
  finite: Tensor2D;
}

/** Concatenates and prepares the outputs of a tower. */
export function towerOf(space: Space, outputs: readonly Tensor2D[]): Tower {
  const all = outputs.length === 1 ? (outputs[0] as Tensor2D) : concat(outputs as Tensor2D[]);
  const finite = offTape(() => mul<Tensor2D>(cast(vectorsOf(space, all).finite, 'float32'), 1));
  return {rows: differentiableRows(space, all), finite};
}

/** Checks that a model returns at least two embeddings `float32[B, D]`, all of one width. */
export function checkTowers(
  name: string,
  argument: string,
  outputs: readonly Tensor[],
  most = Number.POSITIVE_INFINITY,
) {
  const list = Array.isArray(outputs) ? (outputs as Tensor[]) : [];
  const width = list[0]?.shape[1];
  const isMatrix = (output: Tensor) =>
    output instanceof Tensor && output.rank === 2 && output.dtype === 'float32' && output.shape[1] === width;
  const batchSize = list[0]?.shape[0] ?? 0;
  const isPaired = list[1]?.shape[0] === batchSize;
  const isBelow = list.slice(2).every(({shape}) => (shape[0] as number) % Math.max(batchSize, 1) === 0);
  if (list.length >= 2 && list.length <= most && batchSize > 0 && list.every(isMatrix) && isPaired && isBelow) return;
  const isViews = most === 2;
  const many = isViews ? 'be two outputs' : 'be two or more outputs';
  const remedy = isViews ? 'Return one for each view of the rows.' : 'Return queries first, then their documents.';
  throw typeError(name, argument, `${many} float32[B, D]`, outputs, remedy);
}

/** Replaces the losses of rows whose own embeddings are not finite by NaN. */
export function knownOnly(losses: Tensor1D, known: Tensor1D): Tensor1D {
  return where(cast(known, 'bool'), losses, fill(losses.shape, Number.NaN));
}
