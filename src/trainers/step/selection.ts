import {
  cast,
  where as chooseEach,
  type DataType,
  div,
  expandDims,
  greater,
  isFinite as isFiniteTensor,
  keep,
  logicalAnd,
  maximum,
  mul,
  notEqual,
  onesLike,
  reshape,
  type Scalar,
  scalar,
  sum,
  Tensor,
  type Tensor1D,
  tensor1d,
  zeros,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {checkCount, checkOneOf, checkValues, livesInMainMemory, rangeError, shapeText, typeError} from '../../checks';
import {aliasOf, numbersIn} from '../../engine';
import {areFiniteOnHost} from '../../finite';
import {gpuKernel, runGpuKernel, runsGpuKernels} from '../../gpu';
import {nanUnless, placeOfLargest, takeRows} from '../../rows';
import {keptByAll} from '../../shards';
import type {GlobalThreshold, Reduction, Selection, SelectionContext, Selector, SelectorStore} from '../../types';
import type {Forward} from './backward';
import type {StepBatch} from './batch';
import type {StepSettings} from './options';

export const REDUCTIONS: readonly Reduction[] = ['mean', 'sum', 'batchMean', 'meanNonZero'];

/** Far below any sum of weights; it only turns 0 / 0 into 0. */
export const SMALLEST = 1e-37;

/** Input of a reduction: losses and weights of the kept rows, `float32[K]`, and the batch size. */
interface Kept {
  /** Called only by reductions that need the losses. */
  losses: () => Tensor1D;
  weights: Tensor1D;
  batchSize: number;
  /** The kept rows of all shards, if the rows are those of one shard. */
  threshold?: GlobalThreshold | undefined;
}

/**
 * Returns the factor of each kept row in the reduced sum, `float32[K]`: its weight, divided by
 * {@link denominatorOf}.
 */
function countsOf(kept: Kept, reduction: Reduction): Tensor1D {
  const {weights} = kept;
  if (reduction === 'sum') return weights;
  if (livesInMainMemory()) {
    const divisor = hostDenominator(onHost(kept), reduction);
    // On cpu, a tensor of floats that was cast may hold integers, whose `map` would round.
    return tensor1d(Float32Array.from(numbersIn(weights), (weight) => (divisor > 0 ? weight / divisor : 0)));
  }
  if (reduction === 'mean' && !kept.threshold && weights.size <= MOST_SHARED && runsGpuKernels()) {
    return runGpuKernel(SHARES, [weights], weights.shape, [weights.size]);
  }
  const divisor = denominatorOf(kept, reduction);
  // Weights of 0 give 0 / SMALLEST = 0; with losses that are all 0, weights may be larger.
  const counted = reduction === 'meanNonZero' ? mul(weights, cast(greater(divisor, 0), 'float32')) : weights;
  return div(counted, maximum(divisor, SMALLEST));
}

/** Each weight, divided by the sum of all. */
const SHARES = /* @__PURE__ */ gpuKernel({
  name: 'OhemShares',
  inputs: ['Weights'],
  dtype: 'float32',
  integers: ['count'],
  code: `
    float total = 0.0;
    for (int i = 0; i < count; i++) { total += getWeights(i); }
    setOutput(getWeights(row) / max(total, ${SMALLEST}));`,
});

/** Number of weights up to which each thread of a GPU adds them up itself. */
const MOST_SHARED = 4096;

/**
 * Returns the divisor of Σ w·l in a reduction, `float32[]`: Σ w, B, the weights of losses over 0,
 * or 1.
 */
export function denominatorOf(kept: Kept, reduction: Reduction): Scalar {
  if (kept.threshold || livesInMainMemory()) return scalar(hostDenominator(onHost(kept), reduction));
  const {losses, weights, batchSize} = kept;
  if (reduction === 'mean') return sum(weights);
  if (reduction === 'meanNonZero') return sum(mul(weights, cast(greater(losses(), 0), 'float32')));
  return scalar(reduction === 'batchMean' ? batchSize : 1);
}

function onHost({losses, weights, batchSize, threshold}: Kept): HostKept {
  return {
    losses: () => numbersIn<'float32'>(losses()),
    weights: () => numbersIn<'float32'>(weights),
    ...{batchSize, threshold},
  };
}

interface HostKept {
  losses: () => Float32Array;
  weights: () => Float32Array;
  batchSize: number;
  threshold?: GlobalThreshold | undefined;
}

/** Computes {@link denominatorOf} on the host. */
export function hostDenominator({losses, weights, batchSize, threshold}: HostKept, reduction: Reduction): number {
  if (reduction === 'batchMean') return threshold?.rows ?? batchSize;
  if (reduction === 'sum') return 1;
  if (reduction === 'mean')
    return threshold ? keptByAll(threshold) : weights().reduce((total, weight) => total + weight, 0);
  const values = losses();
  return weights().reduce((total, weight, row) => ((values[row] as number) > 0 ? total + weight : total), 0);
}

/**
 * Reduces the losses `float32[K]` of the kept rows to `float32[]`; a row of weight 0 adds 0, even
 * if its loss is NaN.
 */
export function reduceKept(kept: Kept, reduction: Reduction): Scalar {
  const [counts, losses] = [countsOf(kept, reduction), kept.losses()];
  return sum(mul(chooseEach(greater(counts, 0), losses, zerosLike(losses)), counts));
}

/** The rows of a batch to train on. A type alias, because `tf.tidy` does not accept interfaces. */
export type Chosen = {
  /**
   * `float32[count]`, the weighted loss of every row, as ranked; NaN for rows that are not finite.
   */
  losses: Tensor1D;
  /** The selector's result, with weight 0 for rows that may not be used. */
  selection: Selection;
  /** `int32[K]`: `selection.indices`, with each row of weight 0 replaced by one that counts. */
  rows: Tensor1D;
  /** `float32[K]`, the factor of each of these rows in the differentiated sum. */
  counts: Tensor1D;
  /** Whether some row is not finite; always true on a GPU, where the values are not read. */
  hasBadRows: boolean;
  /**
   * `float32[]`, the share of the regularisers that one shard's rows carry; undefined for a whole
   * batch.
   */
  share: Scalar | undefined;
};

/** Selects the rows to train on. Runs off the tape. */
export function chooseRows(
  {
    where,
    select,
    rankBy,
    reduction,
    partial,
    predicts,
    fingerprint,
    validation,
  }: Pick<
    StepSettings,
    'where' | 'select' | 'rankBy' | 'reduction' | 'partial' | 'predicts' | 'fingerprint' | 'validation'
  >,
  {valid, finite, count, ys, context}: Pick<StepBatch, 'valid' | 'finite' | 'count' | 'ys' | 'context'>,
  forward: Pick<Forward, 'losses' | 'raw' | 'predictions' | 'features'>,
  state: SelectorState,
): Chosen {
  const {predictions, features} = forward;
  const usable = finiteLosses(forward.losses, finite);
  const marked = (losses: Tensor1D): Tensor1D => (usable ? nanUnless(usable, losses) : aliasOf(losses));
  const losses = marked(forward.losses);
  const ranking = rankBy === 'raw' ? marked(forward.raw) : losses;
  const seen: SelectionContext = {
    ...state.context(),
    ...context,
    ...(valid && {valid}),
    ...(predictions.length === 1 && ys.length === 1 && {yTrue: ys[0] as Tensor, yPred: predictions[0] as Tensor}),
    ...predicts,
    ...(fingerprint && {model: fingerprint()}),
    ...(features && {features}),
    ...(features && rankBy === 'weighted' && {rowWeights: rowWeightsOf(forward)}),
    ...(validation && {validation: validation()}),
  };
  const given = select(ranking, seen);
  const threshold = given?.threshold ?? context.threshold;
  const selected = threshold ? {...given, threshold} : given;
  if (threshold) checkThreshold(where, threshold, reduction, partial);
  // Invalid rows are padding: a memory must not compare later rows with them.
  const isReal = select.remember && context.valid && notEqual(context.valid, 0);
  state.note(isReal ? nanUnless(isReal as Tensor1D, ranking) : ranking, seen);
  const counted = valid && (notEqual(valid, 0) as Tensor1D);
  const allowed = usable && counted ? logicalAnd<Tensor1D>(usable, counted) : (usable ?? counted);
  const {selection, rows} = settle(where, selected, count, allowed);
  if (!given.threshold && threshold) checkKeepsAll(where, selection, count, allowed);
  const counts = countsOf(keptOf({losses, selection}), reduction);
  const share = threshold && shareOf(where, selection.weights, threshold);
  return {losses, selection, rows, counts, hasBadRows: usable !== undefined, share};
}

/**
 * Recovers the weight of each row's loss, `float32[B]`; 1 for a loss of 0, which no weight changes.
 */
function rowWeightsOf({losses, raw}: Pick<Forward, 'losses' | 'raw'>): Tensor1D {
  return chooseEach(notEqual(raw, 0), div(losses, raw), onesLike(raw)) as Tensor1D;
}

/** Checks that the rows of one shard only contribute to a sum of gradients. */
export function checkThreshold(where: string, threshold: GlobalThreshold, reduction: Reduction, partial = false): void {
  const {counts, rows} = threshold;
  const remedyOfForm = 'Pass {threshold: thresholdOf(tops, {k, shards})}.';
  if (!Array.isArray(counts)) {
    throw typeError(where, 'threshold', 'be the result of thresholdOf', counts, remedyOfForm);
  }
  const wrong = counts.find((count) => !Number.isInteger(count) || count < 0);
  if (wrong !== undefined) {
    throw rangeError(where, 'threshold.counts', 'be integers >= 0', wrong, remedyOfForm);
  }
  checkCount(where, 'threshold.rows', rows);
  const all = keptByAll(threshold);
  if (all > rows) {
    throw rangeError(where, 'threshold.counts', `add up to at most ${rows}, the rows of all shards`, all, remedyOfForm);
  }
  if (reduction === 'meanNonZero') {
    checkOneOf(where, 'reduction over shards', reduction as 'mean', ['mean', 'sum', 'batchMean']);
  }
  if (partial || counts.length === 1) return;
  const remedy = 'Sum step.gradients over all shards, and pass the sums to step.apply.';
  throw rangeError(where, 'select', 'rank whole batches to update weights', `${counts.length} shards`, remedy);
}

/**
 * Checks that a selector keeps every row of a batch that consists of kept rows. Otherwise the rows
 * of all shards would never add up to the counts of the threshold.
 *
 * @param usable  `bool[B]`; undefined if all rows may be used.
 */
function checkKeepsAll(where: string, {weights}: Selection, rows: number, usable: Tensor1D | undefined): void {
  const counted = livesInMainMemory() ? weights.dataSync().filter((weight) => weight === 1).length : weights.size;
  const due = usable && livesInMainMemory() ? usable.dataSync<'int32'>().filter(Boolean).length : rows;
  if (counted >= due) return;
  const remedy = 'The threshold has selected them already: build the step with select: all().';
  throw rangeError(where, 'select', `keep all ${due} rows of a batch with a threshold`, counted, remedy);
}

/** Returns the share of a selection in all kept rows, by weight. */
function shareOf(where: string, weights: Tensor1D, threshold: GlobalThreshold): Scalar {
  const all = keptByAll(threshold);
  const own = sum<Scalar>(weights);
  if (livesInMainMemory() && (own.dataSync()[0] as number) > all * (1 + 1e-6)) {
    const remedy = 'Pass only the rows that this shard keeps: the first counts[shard] of its hardest.';
    throw rangeError(where, 'select', `keep no more than the ${all} rows of all shards`, own.dataSync()[0], remedy);
  }
  return div(own, Math.max(all, 1));
}

/** Returns the kept rows of a batch, for a reduction. */
export function keptOf({losses, selection: {indices, weights, threshold}}: Pick<Chosen, 'losses' | 'selection'>): Kept {
  return {losses: () => takeRows(losses, indices), weights, batchSize: losses.size, threshold};
}

/** Returns the mask of rows with a finite loss; undefined if all are known to be finite. */
export function finiteLosses(losses: Tensor1D, finite: Tensor1D | undefined): Tensor1D | undefined {
  if (!finite && livesInMainMemory() && areFiniteOnHost(losses)) return undefined;
  if (finite && runsGpuKernels()) return runGpuKernel(FINITE_LOSSES, [losses, finite], losses.shape);
  return finite ? logicalAnd(isFiniteTensor(losses), finite) : isFiniteTensor(losses);
}

/** Rows with a finite loss, among those of a mask. */
const FINITE_LOSSES = /* @__PURE__ */ gpuKernel({
  name: 'OhemFiniteLosses',
  inputs: ['Losses', 'Marks'],
  dtype: 'bool',
  code: `
    float usable = 0.0;
    if (getMarks(row) != 0.0 && isNumber(getLosses(row))) { usable = 1.0; }
    setOutput(usable);`,
});

/**
 * Makes a selection safe to train on. Unusable rows get weight 0, and other rows are computed in
 * their places. So all numbers in the backward pass are finite; weight 0 is not enough, because 0 ·
 * NaN is NaN.
 *
 * @param usable  `bool[B]`; undefined if all rows may be used.
 */
function settle(
  where: string,
  selected: Selection,
  batchSize: number,
  usable: Tensor1D | undefined,
): {selection: Selection; rows: Tensor1D} {
  checkSelection(where, selected, batchSize);
  const {threshold} = selected;
  const {indices, weights} = selected.indices.size === 0 ? ofNoRow() : selected;
  const selection = {indices: aliasOf(indices), weights: aliasOf(weights), threshold};
  if (!usable && livesInMainMemory() && numbersIn<'float32'>(weights).every((weight) => weight > 0)) {
    return {selection, rows: selection.indices};
  }
  if (usable && runsGpuKernels()) {
    const safe = runGpuKernel<Tensor1D>(SAFE_WEIGHTS, [weights, indices, usable], weights.shape, [usable.size]);
    const isFew = indices.size <= MOST_SHARED;
    const rows: Tensor1D = isFew
      ? runGpuKernel(STAND_INS, [indices, safe], indices.shape, [indices.size])
      : runGpuKernel(STAND_INS_AT, [indices, safe, reshape(placeOfLargest(safe), [1])], indices.shape);
    return {selection: {...selection, weights: safe}, rows};
  }
  const isKept = greater(weights, 0);
  const isUsed = usable ? logicalAnd(cast(takeRows(cast(usable, 'int32'), indices), 'bool'), isKept) : isKept;
  const safeWeights = chooseEach(isUsed, weights, zerosLike(weights)) as Tensor1D;
  const standIn = takeRows(indices, expandDims(placeOfLargest(safeWeights)) as Tensor1D);
  const rows = chooseEach(isUsed, indices, standIn) as Tensor1D;
  return {selection: {...selection, weights: safeWeights}, rows};
}

/** The weights of a selection, 0 for unusable rows. */
const SAFE_WEIGHTS = /* @__PURE__ */ gpuKernel({
  name: 'OhemSafeWeights',
  inputs: ['Weights', 'Indices', 'Usable'],
  dtype: 'float32',
  integers: ['rows'],
  code: `
    float weight = getWeights(row);
    float safe = 0.0;
    int place = int(getIndices(row));
    if (weight > 0.0 && place >= 0 && place < rows) {
      if (getUsable(place) != 0.0) { safe = weight; }
    }
    setOutput(safe);`,
});

/** The rows of a selection, with the first row of the largest weight in place of unused ones. */
const STAND_INS = /* @__PURE__ */ gpuKernel({
  name: 'OhemStandIns',
  inputs: ['Indices', 'Weights'],
  dtype: 'int32',
  integers: ['count'],
  code: `
    int place = row;
    if (getWeights(row) <= 0.0) {
      place = 0;
      float largest = 0.0;
      for (int i = 0; i < count; i++) {
        float weight = getWeights(i);
        if (weight > largest) {
          largest = weight;
          place = i;
        }
      }
    }
    setOutput(getIndices(place));`,
});

/** The same, with that place. */
const STAND_INS_AT = /* @__PURE__ */ gpuKernel({
  name: 'OhemStandInsAt',
  inputs: ['Indices', 'Weights', 'Largest'],
  dtype: 'int32',
  code: `
    int place = row;
    if (getWeights(row) <= 0.0) { place = int(getLargest(0)); }
    setOutput(getIndices(place));`,
});

/** Returns a selection that keeps nothing. */
export function ofNoRow(): Selection {
  return {indices: tensor1d([0], 'int32'), weights: zeros([1])};
}

/**
 * Checks that a selection is `{indices: int32[K], weights: float32[K]}`; checks its values only if
 * no wait is needed.
 */
function checkSelection(where: string, selection: Selection, batchSize: number): void {
  const {indices, weights} = selection ?? {};
  if (!(indices instanceof Tensor && weights instanceof Tensor)) {
    throw typeError(where, 'select', 'return tensors {indices, weights}', selection);
  }
  if (indices.dtype !== 'int32' || indices.rank !== 1) {
    const got = `${indices.dtype}${shapeText(indices.shape)}`;
    const remedy = 'Row numbers are integers, as tf.topk returns them.';
    throw typeError(where, 'select', 'return indices int32[K]', got, remedy);
  }
  if (weights.dtype !== 'float32' || weights.rank !== 1 || weights.size !== indices.size) {
    const constraint = `return weights float32[${indices.size}], one for each index`;
    throw typeError(where, 'select', constraint, `${weights.dtype}${shapeText(weights.shape)}`);
  }
  const isRow = (row: number) => row >= 0 && row < batchSize;
  checkValues(where, 'select', `return indices from 0 to ${batchSize - 1}`, indices, isRow);
  const isWeight = (weight: number) => Number.isFinite(weight) && weight >= 0;
  checkValues(where, 'select', 'return finite weights >= 0', weights, isWeight);
}

/**
 * State that a selector carries from step to step: a tensor on the device, and the state of its
 * schedule.
 */
export type SelectorState = ReturnType<typeof selectorState>;

/** Memory of a selector, as plain JSON; non-finite numbers are texts such as `'NaN'`. */
export interface SavedMemory {
  dtype: DataType;
  values: (number | string)[];
}

/** Creates the initial state of a selector. */
export function selectorState(where: string, select: Selector) {
  let remembered: Tensor1D | undefined;
  let noted: Tensor1D | undefined;
  const {schedule, store} = select;
  let scheduled = schedule?.init();
  const stay = () => {
    noted?.dispose();
    noted = undefined;
  };
  return {
    /** Returns the state in the form that a selector gets. */
    context: (): SelectionContext => ({
      ...(select.remember && {memory: remembered ?? null}),
      ...(schedule && {schedule: scheduled}),
    }),
    /** Computes the memory for the next step, right after the selection. */
    note(losses: Tensor1D, context: SelectionContext): void {
      if (!select.remember) return;
      const memory = checkedMemory(where, select.remember(losses, context));
      stay();
      // Keep a view: the memory may be the losses, or the previous memory itself.
      noted = keep(reshape(memory, [memory.size]));
    },
    /** Commits the noted memory at the end of the step. */
    advance(step: number): void {
      if (schedule) scheduled = schedule.next(scheduled, {step});
      if (!noted) return;
      remembered?.dispose();
      [remembered, noted] = [noted, undefined];
    },
    /** Discards the noted memory, because the step threw. */
    stay,
    /** Reads the memory, to resume with it later; undefined if there is none. */
    save: async (): Promise<SavedMemory | undefined> =>
      store ? savedStore(store) : remembered && remembered.size > 0 ? savedMemory(remembered) : undefined,
    restore({dtype, values}: SavedMemory): void {
      if (values.length === 0 && (select.remember || store)) {
        const remedy = 'Omit it to start without a memory.';
        throw rangeError(where, 'memory of initialState', 'hold a number', 'none', remedy);
      }
      store?.restore(values.map(Number));
      if (!select.remember || store) return;
      remembered?.dispose();
      remembered = keep(tensor1d(values.map(Number), dtype));
    },
    dispose(): void {
      stay();
      remembered?.dispose();
      remembered = undefined;
      store?.dispose();
    },
  };
}

async function savedStore(store: SelectorStore): Promise<SavedMemory | undefined> {
  const values = await store.save();
  return values.length === 0 ? undefined : {dtype: 'float32', values};
}

function checkedMemory(where: string, memory: unknown): Tensor {
  if (memory instanceof Tensor && memory.rank === 1) return memory;
  const got = memory instanceof Tensor ? memory.shape : memory;
  throw typeError(where, 'select', 'remember a tensor of one axis', got, 'Flatten it with tf.reshape(x, [-1]).');
}

async function savedMemory(memory: Tensor1D): Promise<SavedMemory> {
  const values = Array.from(await memory.data(), (value) => (Number.isFinite(value) ? value : `${value}`));
  return {dtype: memory.dtype, values};
}
