/** @file Greedy selection, one row at a time, if each pick changes the score of the other rows. */

import {
  abs,
  cast,
  where as chooseEach,
  div,
  equal,
  expandDims,
  greater,
  greaterEqual,
  logicalAnd,
  logicalNot,
  matMul,
  max,
  maximum,
  mul,
  neg,
  range,
  reshape,
  type Scalar,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import {livesInMainMemory} from '../checks';
import {placeOfLargest, putRows, takeRows} from '../rows';
import type {Keep, Selection} from '../types';
import {descending, firstPlaces, keepLargest, keptOf, ofValidRows, rankable, valueAt} from './ranking';
import type {Batch} from './selector';

/** Inner products of per-row gradients, from which picks are scored. */
export interface Worth {
  /** Inner products of all rows, `float32[B, B]`; 0 for rows that may not be selected. */
  gram: Tensor2D;
  /** The diagonal of `gram`. */
  squares: Tensor1D;
}

/** Picks up to `count` rows, in order of picking; places past the last row repeat a pick. */
type Picking = (count: number) => Tensor1D;

/** Turns picks into a selection, hardest first. */
export function keepPicked({losses, rows, context}: Batch, keep: Keep, picked: Picking): Selection {
  const size = losses.size;
  const count = keptOf(keep, size);
  const {valid} = context;
  const share = keep.k === undefined ? ofValidRows(size, valid, (of) => keptOf(keep, of)) : count;
  const isFirst = firstPlaces(count, share as Scalar);
  const marked = greater(putRows(cast(isFirst, 'float32') as Tensor1D, picked(count), size), 0);
  return keepLargest(rankable(losses, logicalAnd(rows, marked)), {k: count});
}

/** Relative change of a score, against the largest one, up to which it counts as rounding. */
const ROUNDING = 1e-5;

/**
 * Picks by matching pursuit of the sum of all gradients.
 *
 * Each round picks the row whose gradient has the largest inner product with the residual of the
 * sum. It then projects that direction out of the residual and of all gradients. Once only rounding
 * is left, or only rows that depend on picked ones, it picks the largest losses.
 */
export function matchingPursuit(batch: Batch, worth: Worth): Picking {
  return (count) => (livesInMainMemory() ? pursueOnHost(batch, worth, count) : pursueOnDevice(batch, worth, count));
}

/** Runs the pursuit in kernels alone: each round projects all inner products. */
export function pursueOnDevice({losses, rows}: Batch, {gram, squares}: Worth, count: number): Tensor1D {
  const size = losses.size;
  const places = range(0, size, 1, 'int32');
  const byLoss = descending(rankable(losses, rows)).indices;
  // −1 for the hardest row, −2 for the next.
  const byHardness = putRows(neg(range(1, size + 1, 1, 'float32')), byLoss, size) as Tensor1D;
  const sums = sum<Tensor1D>(gram, 1);
  const least = mul(max(abs(sums)), ROUNDING);
  const independent = mul(squares, ROUNDING);
  const round = ([left, products, norms, open]: Tensor[]) => {
    const isIndependent = logicalAnd(greater(norms as Tensor, independent), greater(abs(products as Tensor), least));
    const score = chooseEach(isIndependent, abs(products as Tensor), byHardness) as Tensor1D;
    const ranked = rankable(score, open as Tensor1D);
    const place = placeOfLargest(ranked);
    const direction = takeRows(left as Tensor2D, expandDims(place) as Tensor1D);
    const flat: Tensor1D = reshape(direction, [size]);
    // A row picked by its loss projects nothing out.
    const isTaken = cast(greaterEqual(valueAt(ranked, place), 0), 'float32');
    const scale = div(isTaken, maximum(valueAt(flat, place), 1e-30));
    const along = mul(flat, scale);
    return {
      place,
      state: [
        sub(left as Tensor, mul(matMul(direction, direction, true), scale)),
        sub(products as Tensor, mul(along, valueAt(products as Tensor1D, place))),
        sub(norms as Tensor, mul(square(flat), scale)),
        logicalAnd(open as Tensor, logicalNot(equal(places, place))),
      ],
    };
  };
  return inRounds(count, [gram, sums, squares, rows], round);
}

/** Runs the pursuit on the host in float64, if reading does not wait. */
export function pursueOnHost({losses, rows}: Batch, {gram, squares}: Worth, count: number): Tensor1D {
  const size = losses.size;
  const byLoss = descending(rankable(losses, rows)).indices.dataSync();
  const products = gram.dataSync();
  const isOpen: boolean[] = Array.from(rows.dataSync(), Boolean);
  const norms = Float64Array.from(squares.dataSync());
  const independent = norms.map((norm) => norm * ROUNDING);
  const left = new Float64Array(size);
  for (let row = 0; row < size; row++)
    for (let i = 0; i < size; i++) left[row] = at(left, row) + at(products, row * size + i);
  const least = left.reduce((most, value) => Math.max(most, Math.abs(value)), 0) * ROUNDING;
  const directions: Float64Array[] = [];
  const best = () => {
    let [found, most] = [-1, least];
    for (let row = 0; row < size; row++) {
      const value = Math.abs(at(left, row));
      if (isOpen[row] && value > most && at(norms, row) > at(independent, row)) [found, most] = [row, value];
    }
    return found;
  };
  const takeOut = (row: number) => {
    const direction = Float64Array.from({length: size}, (_, i) => at(products, row * size + i));
    for (const other of directions) {
      const factor = at(other, row);
      for (let i = 0; i < size; i++) direction[i] = at(direction, i) - factor * at(other, i);
    }
    const norm = Math.sqrt(at(direction, row));
    const factor = at(left, row) / norm;
    for (let i = 0; i < size; i++) {
      const along = at(direction, i) / norm;
      direction[i] = along;
      left[i] = at(left, i) - factor * along;
      norms[i] = at(norms, i) - along * along;
    }
    directions.push(direction);
  };
  const picks: number[] = [];
  while (picks.length < count) {
    const row = best();
    if (row >= 0) takeOut(row);
    const pick = row >= 0 ? row : byLoss.find((other) => isOpen[other] === true);
    if (pick === undefined) break;
    isOpen[pick] = false;
    picks.push(pick);
  }
  return padded(picks, count);
}

/**
 * Repeatedly picks the row with the largest score.
 *
 * After each pick it subtracts `rate` times the inner products with that row from all scores.
 */
export function byInteraction(batch: Batch, worth: Pick<Worth, 'gram'>, scores: Tensor1D, rate: number): Picking {
  const pick = livesInMainMemory() ? interactOnHost : interactOnDevice;
  return (count) => pick(batch, worth, {scores, rate}, count);
}

interface Scores {
  scores: Tensor1D;
  rate: number;
}

export function interactOnDevice(
  {losses, rows}: Batch,
  {gram}: Pick<Worth, 'gram'>,
  {scores, rate}: Scores,
  count: number,
): Tensor1D {
  const places = range(0, losses.size, 1, 'int32');
  const scaled = mul(gram, rate);
  return inRounds(count, [scores, rows], ([worth, open]) => {
    const place = placeOfLargest(rankable(worth as Tensor1D, open as Tensor1D));
    const changes = reshape(takeRows(scaled, expandDims(place) as Tensor1D), [losses.size]);
    return {
      place,
      state: [sub(worth as Tensor, changes), logicalAnd(open as Tensor, logicalNot(equal(places, place)))],
    };
  });
}

export function interactOnHost(
  {losses, rows}: Batch,
  {gram}: Pick<Worth, 'gram'>,
  {scores, rate}: Scores,
  count: number,
): Tensor1D {
  const size = losses.size;
  const [products, worth] = [gram.dataSync(), Float64Array.from(scores.dataSync())];
  const open = new Set(Array.from(rows.dataSync()).flatMap((mark, row) => (mark ? row : [])));
  const picks: number[] = [];
  while (picks.length < count && open.size > 0) {
    const [first, ...others] = open as Iterable<number> as unknown as [number, ...number[]];
    const pick = others.reduce((best, row) => (at(worth, row) > at(worth, best) ? row : best), first);
    open.delete(pick);
    picks.push(pick);
    for (let i = 0; i < size; i++) worth[i] = at(worth, i) - rate * at(products, pick * size + i);
  }
  return padded(picks, count);
}

const at = (values: ArrayLike<number>, place: number): number => values[place] as number;

/** Fills missing picks with the first pick, or with row 0 if there is none. */
function padded(picks: readonly number[], count: number): Tensor1D {
  const places = Array.from({length: count}, (_, i) => picks[i] ?? picks[0] ?? 0);
  return tensor1d(places, 'int32');
}

/** Runs `count` rounds that pick a row each, and disposes every intermediate state. */
function inRounds(
  count: number,
  first: Tensor[],
  round: (state: Tensor[]) => {place: Scalar; state: Tensor[]},
): Tensor1D {
  const places: Scalar[] = [];
  let state = first;
  for (let i = 0; i < count; i++) {
    const before = state;
    const next = tidy(() => round(before));
    if (i > 0) for (const tensor of before) tensor.dispose();
    places.push(next.place);
    state = next.state;
  }
  return stack(places) as Tensor1D;
}
