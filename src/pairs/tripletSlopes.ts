/** @file The losses of triplets, one number per anchor, and their slopes by the distances. */

import {
  add,
  concat,
  dispose,
  div,
  expandDims,
  minimum,
  mul,
  neg,
  relu,
  reshape,
  sigmoid,
  softplus,
  step,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {scatterRows} from '../rows';
import type {RowPairs} from './distances';
import type {Pairs, TripletRule, Triplets} from './mining';
import {positiveSlots} from './pairBatch';
import {atColumns, atPairs, ownRows, valuesAt, valuesAtPairs} from './pairMasks';
import {chunksOf, rowsAt} from './tripletChunks';

/** Reduction over the triplets of an anchor. */
export type PerAnchor = 'mean' | 'meanNonZero' | 'sum';

export interface TripletTerms {
  margin: number;
  soft: boolean;
  swap: boolean;
  perAnchor: PerAnchor;
}

/** Losses `float32[B]`, and their slopes `float32[B, R]` by the distances of each anchor. */
export interface Judged {
  losses: Tensor1D;
  /** Tensors saved for the backward pass, from which the slopes are computed. */
  saved: Tensor[];
  /** Computes `∂ Σ dl · l / ∂ distances`. */
  slopes: (dl: Tensor1D, saved: Tensor[]) => Tensor2D;
  /** Lists the same slopes by pairs of rows, if there are few. */
  pairs?: (dl: Tensor1D, saved: Tensor[]) => RowPairs[];
}

/** Builds losses whose slopes depend on the distances of their own anchor alone. */
export function byAnchor(losses: Tensor1D, slopes: Tensor2D): Judged {
  return {
    losses,
    saved: [slopes],
    slopes: (dl, [ofAnchor]) => mul(expandDims(dl, 1), ofAnchor as Tensor2D) as Tensor2D,
  };
}

/** Computes the losses of the mined triplets. */
export function judgeTriplets(mined: Triplets | Pairs, distances: Tensor2D, terms: TripletTerms): Judged {
  return 'weights' in mined ? judgeSlots(mined, distances, terms) : judgePairs(mined, distances, terms);
}

/** Inverse of the weight of an anchor's triplets, `[A]`; 1 if that weight is 0. */
function sharesOf(terms: TripletTerms, weights: Tensor, losses: Tensor): Tensor {
  if (terms.perAnchor === 'sum') return step(add(sum(weights, [1, 2], true), 1));
  const counted = terms.perAnchor === 'mean' ? weights : step(losses);
  const count = sum(counted, [1, 2], true);
  return div(1, add(count, sub(1, step(count))));
}

/** Computes the losses `[A]` of triplets and the slopes `[A, P, N]` by both distances. */
function judged(
  [ofPositive, ofNegative, between, weights]: readonly [Tensor, Tensor, Tensor | undefined, Tensor],
  terms: TripletTerms,
) {
  const nearest = between ? minimum(ofNegative, between) : ofNegative;
  const excess = add(sub(ofPositive, nearest), terms.margin);
  const losses = mul(weights, terms.soft ? softplus(excess) : relu(excess));
  const shares = sharesOf(terms, weights, losses);
  const slopes = mul(mul(weights, shares), terms.soft ? sigmoid(excess) : step(excess));
  return {losses: reshape(mul(sum(losses, [1, 2], true), shares), [-1]) as Tensor1D, slopes};
}

/** The share of a slope by the smaller of two distances that goes to the first; ½ for a tie. */
function firstShare(first: Tensor, second: Tensor): Tensor {
  return mul(add(step(sub(second, first)), sub(1, step(sub(first, second)))), 0.5);
}

function judgeSlots({positive, negative, weights}: Triplets, distances: Tensor2D, terms: TripletTerms): Judged {
  const columns = distances.shape[1];
  const {swap} = terms;
  const [ofPositive, ofNegative] = [valuesAt(distances, positive), valuesAt(distances, negative)];
  const between = swap ? valuesAtPairs(distances, positive, negative) : undefined;
  const triplets = [ofPositive, ofNegative, between, weights].map((values) => values && expandDims(values, 2));
  const {losses, slopes} = judged(triplets as unknown as Parameters<typeof judged>[0], terms);
  const pull = reshape(slopes, weights.shape) as Tensor2D;
  const push = neg<Tensor2D>(between ? mul(pull, firstShare(ofNegative, between)) : pull);
  const swapped = between ? neg(add(pull, push)) : undefined;
  return {
    losses,
    saved: [positive, negative, pull, push, ofPositive, ofNegative, ...(swapped ? [swapped, between as Tensor] : [])],
    slopes(dl, saved) {
      const [near, far, towards, away, , , rest] = saved as Tensor2D[];
      const given = (values: Tensor2D): Tensor2D => mul(values, expandDims(dl, 1));
      const own = add<Tensor2D>(
        atColumns(near as Tensor2D, given(towards as Tensor2D), columns),
        atColumns(far as Tensor2D, given(away as Tensor2D), columns),
      );
      if (!rest) return own;
      return add(own, atPairs(near as Tensor2D, far as Tensor2D, given(rest), distances.shape));
    },
    // With few pairs, gathering rows is less work than two matrix products.
    ...(weights.shape[1] * FEW <= columns && {
      pairs(dl, saved) {
        const [near, far, towards, away, toPositive, toNegative, rest, toOther] = saved as Tensor2D[];
        const anchors = add<Tensor2D>(ownRows(near as Tensor2D), zerosLike(near as Tensor2D));
        const of = (first?: Tensor2D, second?: Tensor2D, apart?: Tensor2D, values?: Tensor2D) =>
          asColumns(
            first as Tensor2D,
            second as Tensor2D,
            apart as Tensor2D,
            mul(values as Tensor2D, expandDims(dl, 1)),
          );
        return [
          of(anchors, near, toPositive, towards),
          of(anchors, far, toNegative, away),
          ...(rest ? [of(near, far, toOther, rest)] : []),
        ];
      },
    }),
  };
}

/** Columns per slot from which most pairs are in no triplet. */
const FEW = 16;

function asColumns(first: Tensor2D, second: Tensor2D, distances: Tensor2D, slopes: Tensor2D): RowPairs {
  const column = (values: Tensor2D): Tensor2D => reshape(values, [values.size, 1]);
  return {
    first: column(first),
    second: column(second),
    distances: column(distances),
    slopes: column(slopes),
  };
}

/**
 * Computes the losses of all triplets of pairs. With `swap`, the backward pass repeats the sweep.
 */
function judgePairs({positives, negatives, triplets}: Pairs, distances: Tensor2D, terms: TripletTerms): Judged {
  const {columns, marks} = positiveSlots(positives);
  const tensors = [columns, marks, negatives, distances, ...(triplets ? [triplets.distances] : [])];
  const saved = [...tensors, ...(triplets?.between ? [triplets.between] : [])];
  const {losses, slopes} = sweep(saved, triplets?.keeps, terms);
  if (!terms.swap) return byAnchor(losses, slopes);
  return {losses, saved, slopes: (dl, given) => tidy(() => sweep(given, triplets?.keeps, terms, dl).slopes)};
}

/**
 * Sweeps over all triplets, some anchors at a time. Without `dl` it omits the swapped distances.
 */
function sweep(
  [columns, marks, negatives, distances, ofRule, betweenOfRule]: readonly Tensor[],
  keeps: TripletRule['keeps'] | undefined,
  terms: TripletTerms,
  dl?: Tensor1D,
): {losses: Tensor1D; slopes: Tensor2D} {
  const all = distances as Tensor2D;
  const width = all.shape[1];
  const given = [columns, marks, negatives, distances, ...(ofRule ? [ofRule] : []), ...(dl ? [dl] : [])] as Tensor[];
  const chunks = chunksOf((columns as Tensor).shape[1] as number, width, given, (tensors) => {
    const [places, ofSlots, others, near, nearOfRule] = tensors as [Tensor2D, Tensor2D, Tensor2D, Tensor2D, Tensor2D];
    const [ofPositive, ofNegative, between] = distancesOf(places, near, terms.swap ? all : undefined);
    const each = mul(expandDims(ofSlots, 2), expandDims(others, 1));
    const weights = keeps ? mul(each, keeps(...distancesOf(places, nearOfRule, betweenOfRule))) : each;
    const part = judged([ofPositive, ofNegative, between, weights], terms);
    const slopes = dl ? mul(part.slopes, reshape(tensors.at(-1) as Tensor, [-1, 1, 1])) : part.slopes;
    const byNegative = between ? mul(slopes, firstShare(ofNegative, between)) : slopes;
    const own = sub<Tensor2D>(atColumns(places, sum(slopes, 2), width), sum(byNegative, 1));
    if (!dl) return {losses: part.losses, own};
    const swapped = reshape(sub(slopes, byNegative), [-1, width]);
    return {losses: part.losses, own, swapped: scatterRows(reshape(places, [-1, 1]), swapped, width)};
  });
  const [losses, own] = [[] as Tensor1D[], [] as Tensor2D[]];
  let swapped: Tensor | undefined;
  for (const part of chunks) {
    losses.push(part.losses);
    own.push(part.own);
    // Added up at once, because each part has a number for each pair of rows.
    const before = swapped;
    swapped = before && part.swapped ? add(before, part.swapped) : part.swapped;
    if (before) dispose([before, part.swapped as Tensor]);
  }
  const slopes = concat(own) as Tensor2D;
  return {losses: concat(losses) as Tensor1D, slopes: swapped ? sub(slopes, swapped) : slopes};
}

/** The distances of all triplets of some anchors, in the form that a rule expects. */
function distancesOf(places: Tensor2D, values: Tensor2D, among: Tensor | undefined) {
  const between = among && rowsAt(among as Tensor2D, places);
  return [expandDims(valuesAt(values, places), 2), expandDims(values, 1), between] as const;
}
