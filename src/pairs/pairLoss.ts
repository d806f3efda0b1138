/** @file Building blocks of the pair losses: one number per anchor, with a custom gradient. */

import {
  concat,
  customGrad,
  fill,
  maximum,
  mul,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
  where,
  zeros,
} from '@tensorflow/tfjs-core';
import {checkOneOf, shapeText, typeError} from '../checks';
import type {PerSampleLoss} from '../types';
import {
  DISTANCE_OPTIONS,
  type DistanceOptions,
  gradientOfDistances,
  gradientOfPairs,
  type Space,
  type Vectors,
} from './distances';
import {minedBy} from './miner';
import type {Miner, Pairs, Triplets} from './mining';
import {hasSides, type LabelledRows, labelledRows, markedLabelsOf, type PairBatch, pairBatch} from './pairBatch';
import {spreadOf} from './spread';
import type {Judged, PerAnchor} from './tripletSlopes';

/** Rows of earlier batches, as `crossBatchMemory` provides them. */
export interface PairMemory {
  /** The remembered rows, or undefined if there are none yet. */
  rows(): {embeddings: Tensor2D; labels: Tensor1D} | undefined;
}

/** Options shared by all pair losses. */
export interface PairLossOptions extends DistanceOptions {
  /** Miner of the pairs or triplets that count. */
  mine?: Miner;
  /** Rows of earlier batches to compare the anchors with, in addition to their batch. */
  memory?: PairMemory;
}

/** The names of {@link PairLossOptions}. */
export const PAIR_LOSS_OPTIONS = ['mine', 'memory', ...DISTANCE_OPTIONS] as const;

/** Checks the reduction over the terms of an anchor. */
export function checkPerAnchor(name: string, perAnchor: PerAnchor): void {
  checkOneOf(name, 'perAnchor', perAnchor, ['mean', 'meanNonZero', 'sum']);
}

interface Kind {
  space: Space;
  mine?: Miner | undefined;
  memory?: PairMemory | undefined;
  /** Whether an anchor needs both a positive and a negative to count, or only one of them. */
  needsBoth: boolean;
}

/** The formula of a loss. */
type Judge = (mined: Triplets | Pairs, batch: PairBatch) => Judged;

/** Builds a loss from a formula of the mined pairs, or of all pairs without a miner. */
export function pairLoss(name: string, {space, mine, memory, needsBoth}: Kind, judge: Judge): PerSampleLoss {
  if (memory !== undefined) checkMemory(name, memory);
  const loss: PerSampleLoss = (yTrue, yPred) =>
    // The name of the op on the tape, which steps report if rows depend on one another.
    tidy(name, () => {
      const batch = labelledRows(name, yTrue, yPred, ['yTrue', 'yPred']);
      const past = memory?.rows();
      if (past) checkWidth(name, past.embeddings, batch.embeddings);
      return evaluated(name, {space, mine, judge}, batch, past);
    });
  loss.skipsNaN = true;
  // The spread uses lengths, because a similarity is largest at a single point.
  const lengths: Space = {...space, distance: 'euclidean', isSimilarity: false};
  loss.spread = (yPred) =>
    tidy(() => spreadOf(name, lengths, {embeddings: yPred as Tensor2D, labels: zeros([yPred.shape[0] as number])}));
  loss.valid = (yTrue) =>
    tidy(() => {
      const {positive, negative} = hasSides(markedLabelsOf(name, 'yTrue', yTrue), memory?.rows()?.labels);
      return reshape(needsBoth ? mul(positive, negative) : maximum(positive, negative), [-1]);
    });
  return loss;
}

/** Computes the losses of a batch, with a gradient by its embeddings. */
function evaluated(
  name: string,
  {space, mine, judge}: Pick<Kind, 'space' | 'mine'> & {judge: Judge},
  {embeddings, labels}: LabelledRows,
  past: LabelledRows | undefined,
): Tensor1D {
  return customGrad((given, save) => {
    const anchors: LabelledRows = {embeddings: given as Tensor2D, labels};
    const reference = past && {
      embeddings: concat([anchors.embeddings, past.embeddings]),
      labels: concat([labels, past.labels]),
    };
    const batch = pairBatch(name, space, anchors, {reference, own: {from: 0, count: labels.size}});
    const mined = mine
      ? minedBy(mine, batch, anchors.embeddings, labels, reference ? {reference} : {})
      : {positives: batch.positives, negatives: batch.negatives};
    const judged = judge(mined, batch);
    const {losses} = judged;
    const {tensors, gradient} = batch.isOwn && judged.pairs ? byPairs(batch, judged) : byMatrix(batch, judged);
    (save as (saved: Tensor[]) => void)(tensors);
    const gradFunc = (dl: Tensor, saved: Tensor[]) => tidy(() => gradient(reshape(dl, [-1]), saved));
    return {value: where(batch.known, losses, fill(losses.shape, Number.NaN)), gradFunc};
  })(embeddings) as Tensor1D;
}

/** The tensors that a backward pass saves, and the gradient that it computes from them. */
interface Backward {
  tensors: Tensor[];
  gradient: (dl: Tensor1D, saved: Tensor[]) => Tensor2D;
}

function byPairs({space, anchors}: PairBatch, {saved, pairs}: Judged): Backward {
  return {
    tensors: [anchors.rows, anchors.rates, ...saved],
    gradient: (dl, [rows, rates, ...rest]) =>
      gradientOfPairs(space, pairs?.(dl, rest) ?? [], {rows, rates} as Pick<Vectors, 'rows' | 'rates'>),
  };
}

function byMatrix({space, anchors, others, isOwn, distances}: PairBatch, {saved, slopes}: Judged): Backward {
  const to = isOwn ? [] : [others.rows];
  return {
    tensors: [distances, anchors.rows, anchors.rates, ...to, ...saved],
    gradient(dl, [apart, rows, rates, ...rest]) {
      const ofDistances = slopes(dl, rest.slice(to.length));
      const vectors = {rows, rates} as Pick<Vectors, 'rows' | 'rates'>;
      if (isOwn) return gradientOfDistances(space, ofDistances, apart as Tensor2D, vectors);
      return gradientOfDistances(space, ofDistances, apart as Tensor2D, vectors, rest[0] as Tensor2D, dl.size);
    },
  };
}

function checkMemory(name: string, memory: PairMemory): void {
  if (typeof Object(memory).rows === 'function') return;
  throw typeError(name, 'memory', 'have a function rows', memory, 'Build one: crossBatchMemory({size: 1024}).');
}

function checkWidth(name: string, past: Tensor2D, embeddings: Tensor2D): void {
  if (past.shape[1] === embeddings.shape[1]) return;
  throw typeError(
    name,
    'yPred',
    `have the width of the memory, ${shapeText(['B' as never, past.shape[1]])}`,
    embeddings.shape,
  );
}
