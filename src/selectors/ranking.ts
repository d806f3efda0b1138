/** @file Ranking: the selectable rows, the number of rows to keep, and the hardest among them. */

import {
  cast,
  where as chooseEach,
  expandDims,
  fill,
  gatherND,
  greater,
  isFinite as isFiniteTensor,
  less,
  logicalAnd,
  mul,
  notEqual,
  range,
  type Scalar,
  scalar,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
} from '@tensorflow/tfjs-core';
import {checkCount, checkOptionNames, checkRatio, checkRows, livesInMainMemory, typeError} from '../checks';
import {numbersIn} from '../engine';
import {gpuKernel, runGpuKernel, runsGpuKernels} from '../gpu';
import {largestFirst, takeRows} from '../rows';
import type {Keep, Selection, SelectionContext} from '../types';

/** Checks the options for the number of rows to keep. */
export function checkKeep(where: string, keep: Keep, others: readonly string[] = []): void {
  if (typeof keep === 'number') {
    const remedy = `Pass {k: ${Math.max(1, Math.round(keep))}}, a number of rows, or {ratio: 0.5}, a share.`;
    throw typeError(where, 'options', 'be a record', keep, remedy);
  }
  const options = (keep ?? {}) as {k?: number; ratio?: number; minK?: number};
  checkOptionNames(where, options, ['k', 'ratio', 'minK', ...others]);
  if ((options.k === undefined) === (options.ratio === undefined)) {
    throw typeError(where, 'options', 'have either k or ratio', keep, 'Pass {k: 32} or {ratio: 0.75}.');
  }
  if (options.k !== undefined) checkCount(where, 'k', options.k);
  if (options.ratio !== undefined) checkRatio(where, 'ratio', options.ratio);
  if (options.minK !== undefined) {
    if (options.k !== undefined) throw typeError(where, 'minK', 'go with ratio', keep, 'A fixed k needs no minimum.');
    checkCount(where, 'minK', options.minK);
  }
}

/** Options for the number of rows to keep, with the rounding of a share. Default `Math.round`. */
export type RoundedKeep = Keep & {round?: (share: number) => number};

/** Computes how many rows to keep out of `rows` valid ones. */
export function keptOf({k, ratio = 1, minK = 1, round = Math.round}: RoundedKeep, rows: number): number {
  return Math.min(k ?? Math.max(minK, round(ratio * rows)), rows);
}

/** Score of a row that may not be selected. Not -Infinity, which some GPUs do not preserve. */
const UNSELECTABLE = -3.4028234663852886e38;

/** Masks the rows that may be selected, `bool[B]`: valid rows with a finite loss. */
export function selectable(where: string, losses: Tensor1D, context: SelectionContext = {}): Tensor1D {
  checkSelectable(where, losses, context);
  const finite = isFiniteTensor(losses);
  return context.valid === undefined ? finite : logicalAnd(finite, notEqual(context.valid, 0));
}

/** Checks the context that determines the selectable rows. */
export function checkSelectable(where: string, losses: Tensor1D, {valid}: SelectionContext): void {
  if (valid !== undefined) checkRows(where, 'valid', valid, losses.size);
}

const RANKABLE = /* @__PURE__ */ gpuKernel({
  name: 'OhemRankable',
  inputs: ['Marks', 'Scores'],
  dtype: 'float32',
  code: `
    float score = ${UNSELECTABLE};
    if (getMarks(row) != 0.0) { score = getScores(row); }
    setOutput(score);`,
});

const RANKABLE_FINITE = /* @__PURE__ */ gpuKernel({
  name: 'OhemRankableFinite',
  inputs: ['Losses', 'Scores'],
  dtype: 'float32',
  code: `
    float score = ${UNSELECTABLE};
    if (isNumber(getLosses(row))) { score = getScores(row); }
    setOutput(score);`,
});

/** Does the work of {@link selectable} and {@link rankable}. */
export function rankableFinite(where: string, scores: Tensor1D, losses: Tensor1D, context: SelectionContext): Tensor1D {
  if (context.valid || !runsGpuKernels()) return rankable(scores, selectable(where, losses, context));
  return runGpuKernel(RANKABLE_FINITE, [losses, scores], scores.shape);
}

/** Replaces the scores of all but `rows` by a value below every score of a selectable row. */
export function rankable(scores: Tensor1D, rows: Tensor1D): Tensor1D {
  if (runsGpuKernels()) return runGpuKernel(RANKABLE, [rows, scores], scores.shape);
  return chooseEach(rows, scores, fill(scores.shape, UNSELECTABLE));
}

/** Keeps the largest scores of {@link rankable}, largest first; ties keep the lower index. */
export function keepLargest(ranked: Tensor1D, keep: RoundedKeep, {valid}: SelectionContext = {}): Selection {
  const count = keptOf(keep, ranked.size);
  const isWhole = valid === undefined || keep.k !== undefined;
  if (isWhole && isSortedOnGpu(ranked.size)) {
    const indices = orderOnGpu(ranked, count);
    return {indices, weights: runGpuKernel(FOUND, [ranked, indices], [count])};
  }
  const {values, indices} = descending(ranked, count);
  const found = isRankable(values);
  if (isWhole) return {indices, weights: asFloat(found)};
  // The number of slots assumes that all rows are valid.
  const share = ofValidRows(ranked.size, valid, (rows) => keptOf(keep, rows));
  return {indices, weights: asFloat(logicalAnd(found, firstPlaces(values.size, share)))};
}

/** Largest number of scores that the host sorts in less time than a kernel takes. */
const FEW = 4096;

/** Whether the host can sort the rows of a batch sooner than kernels. */
export function areFewOnHost(losses: Tensor1D): boolean {
  return livesInMainMemory() && losses.size <= FEW;
}

/** Does the work of {@link rankable} and {@link keepLargest} on the host. */
export function keepLargestOnHost(
  scores: Tensor1D,
  losses: Tensor1D,
  keep: RoundedKeep,
  {valid}: SelectionContext,
): Selection {
  const [values, found, counts] = [
    numbersIn<'float32'>(scores),
    numbersIn<'float32'>(losses),
    valid && numbersIn<'float32'>(valid),
  ];
  const ranked = new Float32Array(losses.size);
  let validRows = 0;
  for (let row = 0; row < ranked.length; row++) {
    const isValid = counts?.[row] !== 0;
    if (isValid) validRows++;
    ranked[row] = isValid && Number.isFinite(found[row]) ? (values[row] as number) : UNSELECTABLE;
  }
  const order = descendingOrder(ranked).subarray(0, keptOf(keep, losses.size));
  const share = keep.k === undefined ? keptOf(keep, validRows) : order.length;
  const weights = new Float32Array(order.length);
  for (let place = 0; place < share && place < order.length; place++) {
    weights[place] = +((ranked[order[place] as number] as number) > UNSELECTABLE);
  }
  return {indices: tensor1d(order, 'int32'), weights: tensor1d(weights)};
}

/** Sorts places by their number, largest first; ties keep their order. */
function descendingOrder(values: Float32Array): Int32Array {
  const {length} = values;
  const bits = new Int32Array(values.buffer, values.byteOffset, length);
  const keys = new Float64Array(length);
  for (let place = 0; place < length; place++) {
    const bit = bits[place] as number;
    // Read as integers, negative floats are in reverse order; −0 equals 0.
    keys[place] = (bit < 0 ? bit & 0x7fffffff : -bit) * FEW + place;
  }
  keys.sort();
  const order = new Int32Array(length);
  for (let place = 0; place < length; place++) order[place] = (((keys[place] as number) % FEW) + FEW) % FEW;
  return order;
}

/** Masks the scores of {@link rankable} that belong to selectable rows, `bool[…]`. */
export function isRankable(scores: Tensor1D): Tensor1D {
  return greater(scores, UNSELECTABLE);
}

/** Converts to a real float32 buffer: the cpu backend's cast keeps the bytes of a `bool`. */
export function asFloat(tensor: Tensor1D): Tensor1D {
  return tensor.dtype === 'float32' ? tensor : mul(cast(tensor, 'float32'), 1);
}

/** Sorts a selection by the scores of its slots, largest first; unused slots come last. */
export function reordered({indices, weights}: Selection, scores: Tensor1D): Selection {
  const order = descending(rankable(scores, greater(weights, 0))).indices;
  return {indices: takeRows(indices, order), weights: takeRows(weights, order)};
}

export interface Descending {
  values: Tensor1D;
  indices: Tensor1D;
}

/**
 * Finds the `count` largest scores, largest first; ties keep the lower index. No score may be NaN.
 *
 * Never reads the scores. On a GPU kernels of this library sort, or else `largestFirst` does.
 */
export function descending(scores: Tensor1D, count = scores.size): Descending {
  if (!isSortedOnGpu(scores.size)) return largestFirst(scores, count);
  const indices = orderOnGpu(scores, count);
  return {values: takeRows(scores, indices), indices};
}

/** Whether the score at a place may be selected. */
const FOUND = /* @__PURE__ */ gpuKernel({
  name: 'OhemFound',
  inputs: ['Scores', 'Places'],
  dtype: 'float32',
  code: `
    float found = 0.0;
    if (getScores(int(getPlaces(row))) > ${UNSELECTABLE}) { found = 1.0; }
    setOutput(found);`,
});

/** The number of scores of a block that precede each of its scores. */
const BLOCK_RANKS = /* @__PURE__ */ gpuKernel({
  name: 'OhemBlockRanks',
  inputs: ['Scores'],
  dtype: 'int32',
  integers: ['count', 'width'],
  code: `
    float own = getScores(row);
    int start = (row / width) * width;
    int end = min(start + width, count);
    int rank = 0;
    for (int i = start; i < end; i++) {
      float other = getScores(i);
      if (other > own || (other == own && i < row)) { rank += 1; }
    }
    setOutput(float(rank));`,
});

/** The places of the scores, each block of them sorted. */
const SORTED_BLOCKS = /* @__PURE__ */ gpuKernel({
  name: 'OhemSortedBlocks',
  inputs: ['Ranks'],
  dtype: 'int32',
  integers: ['count', 'width'],
  code: `
    int start = (row / width) * width;
    int end = min(start + width, count);
    int place = start;
    for (int i = start; i < end; i++) {
      if (start + int(getRanks(i)) == row) { place = i; }
    }
    setOutput(float(place));`,
});

/** The rank of each of these scores among all: bisects the other blocks. */
const RANKS_OVER_BLOCKS = /* @__PURE__ */ gpuKernel({
  name: 'OhemRanksOverBlocks',
  inputs: ['Scores', 'Places'],
  dtype: 'int32',
  integers: ['count', 'width'],
  code: `
    float own = getScores(int(getPlaces(row)));
    int block = (row / width) * width;
    int rank = row - block;
    for (int start = 0; start < count; start += width) {
      if (start != block) {
        int low = start;
        int high = min(start + width, count);
        while (low < high) {
          int middle = (low + high) / 2;
          float other = getScores(int(getPlaces(middle)));
          if (other > own || (other == own && start < block)) { low = middle + 1; } else { high = middle; }
        }
        rank += low - start;
      }
    }
    setOutput(float(rank));`,
});

/** The place with a rank: bisects the blocks, whose ranks ascend. */
const PLACES_OVER_BLOCKS = /* @__PURE__ */ gpuKernel({
  name: 'OhemPlacesOverBlocks',
  inputs: ['Ranks', 'Places'],
  dtype: 'int32',
  integers: ['count', 'width'],
  code: `
    int found = 0;
    for (int start = 0; start < count; start += width) {
      int end = min(start + width, count);
      int low = start;
      int high = end;
      while (low < high) {
        int middle = (low + high) / 2;
        if (int(getRanks(middle)) < row) { low = middle + 1; } else { high = middle; }
      }
      if (low < end) {
        if (int(getRanks(low)) == row) { found = int(getPlaces(low)); }
      }
    }
    setOutput(float(found));`,
});

/** Largest number of scores for which a GPU compares all pairs: they are one block. */
const COMPARED = 4096;

/** Largest number for which it sorts blocks: the passes of `topk` read less, but are many. */
const SORTED = 32_768;

function isSortedOnGpu(size: number): boolean {
  return size <= SORTED && runsGpuKernels();
}

/** Finds the places of the largest scores, without a read, in two launches or four. */
function orderOnGpu(scores: Tensor1D, count: number): Tensor1D {
  const {size} = scores;
  const isOneBlock = size <= COMPARED;
  const integers = [size, isOneBlock ? size : Math.ceil(Math.sqrt(size))];
  const inBlocks = runGpuKernel(BLOCK_RANKS, [scores], [size], integers);
  if (isOneBlock) return runGpuKernel(SORTED_BLOCKS, [inBlocks], [count], integers);
  const places = runGpuKernel(SORTED_BLOCKS, [inBlocks], [size], integers);
  const ranks = runGpuKernel(RANKS_OVER_BLOCKS, [scores, places], [size], integers);
  return runGpuKernel(PLACES_OVER_BLOCKS, [ranks, places], [count], integers);
}

/** Gathers the value at a place, `int32[]`, with the faster op, as `takeRows` does. */
export function valueAt(values: Tensor1D, place: Scalar): Scalar {
  return gatherND(values, expandDims(place)) as Scalar;
}

/** Computes `f` of each count, an integer from 0 to `most`. */
export function ofCounts(counts: Tensor1D, most: number, f: (count: number) => number): Tensor1D {
  return takeRows(tableOf(f, most), counts);
}

/** Computes `f` of the number of valid rows, `float32[]`. */
export function ofValidRows(batchSize: number, valid: Tensor1D | undefined, f: (rows: number) => number): Scalar {
  if (valid === undefined) return scalar(f(batchSize));
  return valueAt(tableOf(f, batchSize), sum(cast(notEqual(valid, 0), 'int32')));
}

/** Masks the first `limit` of `count` places, `bool[count]`. */
export function firstPlaces(count: number, limit: Tensor): Tensor1D {
  return less(range(0, count, 1, 'float32'), limit);
}

/** Tabulates `f` on the host, because float32 rounds products such as 0.7 · 45 differently. */
function tableOf(f: (count: number) => number, most: number): Tensor1D {
  return tensor1d(Float32Array.from({length: most + 1}, (_, count) => f(count)));
}
