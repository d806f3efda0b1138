/** @file Accumulates several batches into one update. */

import {
  add,
  addN,
  cast,
  clone,
  concat,
  dispose,
  div,
  equal,
  keep,
  logicalAnd,
  logicalOr,
  maximum,
  mul,
  type NamedTensorMap,
  ones,
  type Rank,
  reshape,
  type Scalar,
  scalar,
  slice,
  sum,
  Tensor,
  type Tensor1D,
  tensor1d,
  zeros,
} from '@tensorflow/tfjs-core';
import {livesInMainMemory, typeError} from '../../checks';
import type {PerRowContext} from '../../data/batchOptions';
import {differentiateByTfjs} from '../../engine';
import {partsOf} from '../../models/model';
import {largestFirst, putRows} from '../../rows';
import type {Selection, SelectionContext} from '../../types';
import type {Begun, Evaluate, StepParts, TakenStep} from '../ohemStep';
import {type Forward, inferred} from './backward';
import type {StepBatch} from './batch';
import type {StepSettings} from './options';
import {reportOf} from './report';
import {type Chosen, chooseRows, denominatorOf, keptOf, ofNoRow, type SelectorState, selectorState} from './selection';
import {rollBackUnless, type Soundness, soundnessOf, takeSnapshot, zerosUnless} from './update';

/** Builds the accumulator of `selectOver`. */
export function accumulation(settings: StepSettings, parts: StepParts, state: SelectorState) {
  return settings.selectOver === 'batch' ? ofGradients(settings, parts) : ofBatches(settings, parts, state);
}

/** The parts of an update, which has no batch of its own. */
type Update = Omit<Begun, 'batch'>;

/** Accumulates gradients of batches that are mined individually. */
function ofGradients(settings: StepSettings, parts: StepParts) {
  const {reduction, accumulate} = settings;
  const sums = tensorSums();
  /** Sums of the denominators of the reduction, and of the weights of all kept rows. */
  const weighed = tensorSums();
  const update = (begun: Update) => {
    const gradients = sums.take();
    const {denominator, weight} = weighed.take() as {denominator: Scalar; weight: Scalar};
    const divisor = reduction === 'sum' ? scalar(1) : maximum(denominator, 1e-37);
    // A layer may have been frozen since the first of the batches.
    const names = begun.variables.map(({name}) => name).filter((name) => name in gradients);
    const divided = Object.fromEntries(names.map((name) => [name, div(gradients[name] as Tensor, divisor)]));
    return parts.apply(withPenalties(settings, divided, begun), reshape(weight, [1]), begun);
  };
  return {
    isEmpty: () => sums.count() === 0,
    take(begun: Begun, evaluate?: Evaluate): TakenStep {
      const {batch, before} = begun;
      const {forward, chosen, gradients} = parts.gradientsOf(begun, unreduced(settings));
      const evaluated = evaluate?.(batch, forward) ?? [];
      const {weights} = chosen.selection;
      const {finite, sound} = soundnessOf(gradients, weights, before);
      rollBackUnless(sound, before);
      const weight = sum<Scalar>(weights);
      // A batch that keeps no row still has rows, which batchMean counts.
      const allFinite = typeof finite === 'boolean' ? scalar(finite, 'bool') : finite;
      const counts = cast(logicalOr(allFinite, equal(weight, 0)), 'float32');
      sums.add(zerosUnless(sound, gradients));
      weighed.add({
        denominator: mul(denominatorOf(keptOf(chosen), reduction), counts),
        weight: mul(weight, counts),
      });
      const isPending = sums.count() < accumulate;
      const made: Soundness = isPending ? {finite: true, sound: true} : update(begun);
      return {
        // The batches before were reported as kept already.
        reported: reportOf(settings, batch, forward, chosen, both(sound, made.sound)),
        ...{finiteRows: batch.finite, evaluated, batches: 1, isPending},
        finite: both(finite, made.finite),
        updated: isPending ? false : made.sound,
      };
    },
    /** Updates the weights by the batches so far, all of which were reported already. */
    flush(begun: Update): TakenStep {
      const {finite, sound} = update(begun);
      const reported = {losses: zeros<Rank.R1>([1]), selection: ofNoRow(), valid: zeros<Rank.R1>([1])};
      return {reported, evaluated: [], finite, finiteRows: undefined, batches: 0, isPending: false, updated: sound};
    },
    dispose() {
      sums.dispose();
      weighed.dispose();
    },
  };
}

function both(one: Scalar | boolean, other: Scalar | boolean): Scalar | boolean {
  if (typeof one === 'boolean') return one && other;
  return typeof other === 'boolean' ? other && one : logicalAnd(one, other);
}

/**
 * Settings for gradients that are summed over batches. Division and regularisers come once, at the
 * end.
 */
function unreduced(settings: StepSettings): StepSettings {
  return {...settings, reduction: 'sum', penalised: false};
}

/** Sums tensors by name, and keeps the sums. */
function tensorSums() {
  let count = 0;
  let kept: NamedTensorMap = {};
  const clear = () => {
    dispose(kept);
    kept = {};
    count = 0;
  };
  return {
    count: () => count,
    add(terms: NamedTensorMap): void {
      count++;
      for (const [name, term] of Object.entries(terms)) {
        const before = kept[name];
        kept[name] = keep(before ? add(before, term) : clone(term));
        before?.dispose();
      }
    },
    /** Returns the sums in the surrounding `tidy`, and clears them. */
    take(): NamedTensorMap {
      const sums = Object.fromEntries(Object.entries(kept).map(([name, sum]) => [name, clone(sum)]));
      clear();
      return sums;
    },
    dispose: clear,
  };
}

/** Adds the gradients of the regularisers, once for all batches. */
function withPenalties({model}: StepSettings, gradients: NamedTensorMap, {variables}: Update): NamedTensorMap {
  if (model.calculateLosses().length === 0) return gradients;
  // A regulariser may belong to a frozen layer, and depend on none of the variables.
  const penalty = () => ({objective: addN(model.calculateLosses()) as Scalar, seen: []});
  const all = {...gradients};
  for (const [name, gradient] of Object.entries(differentiateByTfjs(penalty, variables).gradients)) {
    all[name] = all[name] ? add(all[name], gradient) : gradient;
  }
  return all;
}

/** Collects batches whose rows are ranked together. */
function ofBatches(settings: StepSettings, parts: StepParts, state: SelectorState) {
  checkStateless(settings);
  let held: Scored[] = [];
  const clear = () => {
    for (const {tensors} of held) dispose(tensors);
    held = [];
  };
  const update = (begun: Update): TakenStep => {
    const all = together(settings.where, held);
    const chosen = chooseRows(settings, all.batch, all.forward, state);
    const gradients = gradientsOver(settings, parts, begun, held, chosen);
    const {finite, sound} = parts.apply(gradients, chosen.selection.weights, begun);
    const {finite: finiteRows} = all.batch;
    const taken = {
      reported: reportOf(settings, all.batch, all.forward, chosen, sound),
      finiteRows,
      batches: held.length,
    };
    clear();
    return {...taken, evaluated: [], finite, isPending: false};
  };
  /**
   * Updates after a batch was scored. If that throws, the batch is dropped, so that another can
   * take its place.
   */
  const updateWithLast = (begun: Update): TakenStep => {
    try {
      return update(begun);
    } catch (error) {
      dispose(held.pop()?.tensors ?? []);
      throw error;
    }
  };
  return {
    isEmpty: () => held.length === 0,
    take(begun: Begun, evaluate?: Evaluate): TakenStep {
      const forward = inferred(settings, begun.batch);
      const evaluated = evaluate?.(begun.batch, forward) ?? [];
      held.push(scored(begun.batch, forward));
      if (held.length === settings.accumulate) return {...updateWithLast(begun), evaluated};
      const {losses} = forward;
      const unreported = {...settings, dynamics: undefined, losses: []};
      const reported = reportOf(unreported, begun.batch, forward, {losses: clone(losses), selection: ofNoRow()}, true);
      return {reported, evaluated, finite: true, finiteRows: undefined, batches: 0, isPending: true};
    },
    /** Updates the weights by the batches so far; `evaluate` runs before the update. */
    flush(begun: Update, evaluate?: () => Scalar[]): TakenStep {
      const evaluated = evaluate?.() ?? [];
      return {...update(begun), evaluated};
    },
    dispose: clear,
  };
}

/** Runs each batch with a kept row a second time, and sums the gradients. */
function gradientsOver(
  settings: StepSettings,
  parts: StepParts,
  begun: Update,
  held: readonly Scored[],
  chosen: Chosen,
): NamedTensorMap {
  const sums = tensorSums();
  try {
    for (const [i, selection] of selectionsOf(chosen, held).entries()) {
      if (!selection) continue;
      // Variables changed by the previous batch are on the tape of this one, which changes them
      // again.
      takeSnapshot(settings.model, settings.optimizer);
      const select = () => selection;
      const ofBatch = {...unreduced(settings), select, lastLayer: undefined, validation: undefined};
      const stateless = selectorState(settings.where, select);
      const {gradients} = parts.gradientsOf({...begun, batch: (held[i] as Scored).batch}, ofBatch, stateless);
      sums.add(gradients);
    }
    return withPenalties(settings, sums.take(), begun);
  } finally {
    sums.dispose();
  }
}

/** Refuses a layer that keeps a state: each batch runs twice, with others in between. */
function checkStateless({where, model}: StepSettings): void {
  const stateful = partsOf(model).find((part) => part.stateful);
  if (!stateful) return;
  const remedy = "Use selectOver: 'batch'.";
  const constraint = "have no layer that keeps a state with selectOver: 'accumulated'";
  throw typeError(where, 'model', constraint, stateful.name, remedy);
}

/** A scored batch, in tensors that are held until the update. */
interface Scored {
  batch: StepBatch;
  forward: Pick<Forward, 'losses' | 'raw' | 'predictions' | 'features'>;
  tensors: Tensor[];
}

function scored(batch: StepBatch, {losses, raw, predictions, features}: Forward): Scored {
  const copies = new Map<Tensor, Tensor>();
  const held = <T>(value: T): T => {
    if (value instanceof Tensor) {
      if (!copies.has(value)) copies.set(value, keep(clone(value)));
      return copies.get(value) as T;
    }
    return Array.isArray(value) ? (value.map(held) as T) : value;
  };
  const heldIn = <T extends object>(record: T): T =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, held(value)])) as T;
  return {
    batch: {...heldIn(batch), given: heldIn(batch.given), context: heldIn(batch.context)},
    // Selectors see predictions only if there is a single output.
    forward: heldIn({losses, raw, predictions: predictions.length === 1 ? predictions : [], features}),
    tensors: [...copies.values()],
  };
}

const PER_ROW: readonly PerRowContext[] = ['positive', 'group', 'reference', 'overlap', 'boxes'];

/** Concatenates what a selector reads of several batches into one. */
function together(where: string, held: readonly Scored[]) {
  const batches = held.map(({batch}) => batch);
  const [first, ...others] = batches as [StepBatch, ...StepBatch[]];
  const joined = <T extends Tensor>(parts: readonly T[]) => concat(parts as readonly Tensor[] as Tensor[]) as T;
  const marksOf = (marks: readonly (Tensor1D | undefined)[]): Tensor1D | undefined => {
    if (marks.every((ofBatch) => ofBatch === undefined)) return undefined;
    const counts = (i: number) => ones<Rank.R1>([(batches[i] as StepBatch).count]);
    return joined(marks.map((ofBatch, i) => (ofBatch ? cast<Tensor1D>(ofBatch, 'float32') : counts(i))));
  };
  const finite = marksOf(batches.map((batch) => batch.finite));
  const contexts = batches.map(({context, isGroupedByRow}, i) => {
    const rows = batches.slice(0, i).reduce((total, {xs}) => total + (xs[0]?.shape[0] as number), 0);
    return isGroupedByRow ? {...context, group: add(context.group as Tensor1D, scalar(rows, 'int32'))} : context;
  }) as SelectionContext[];
  const names = PER_ROW.filter((name) => contexts.some((context) => context[name]));
  const perRow = names.map((name) => {
    const parts = contexts.flatMap((context) => (context[name] as Tensor | undefined) ?? []);
    if (parts.length < held.length) {
      throw typeError(
        where,
        name,
        'be given with each of the accumulated batches',
        `${parts.length} of ${held.length}`,
      );
    }
    return [name, joined(parts)] as const;
  });
  const valid = marksOf(contexts.map((context) => context.valid));
  const forwards = held.map(({forward}) => forward);
  const [losses, raw] = [joined(forwards.map((each) => each.losses)), joined(forwards.map((each) => each.raw))];
  const hasOne = first.ys.length === 1 && forwards[0]?.predictions.length === 1;
  const latest = others.at(-1) ?? first;
  return {
    batch: {
      count: losses.size,
      valid: marksOf(batches.map(({valid}) => valid)),
      finite: finite && cast<Tensor1D>(finite, 'bool'),
      ys: hasOne ? [joined(batches.map(({ys}) => ys[0] as Tensor))] : [],
      context: {...latest.context, ...(valid && {valid}), ...Object.fromEntries(perRow)},
    },
    forward: {
      losses,
      raw,
      predictions: hasOne ? [joined(forwards.map((each) => each.predictions[0] as Tensor))] : [],
      features: forwards[0]?.features && joined(forwards.map((each) => each.features as Tensor)),
    },
  };
}

/**
 * Splits a selection over all batches into one per batch. On cpu and wasm, undefined for a batch
 * without kept rows.
 */
function selectionsOf({rows, counts}: Chosen, held: readonly Scored[]): (Selection | undefined)[] {
  const sizes = held.map(({batch}) => batch.count);
  const ofRows = putRows(
    counts,
    rows,
    sizes.reduce((total, size) => total + size, 0),
  );
  return sizes.map((size, i) => {
    const first = sizes.slice(0, i).reduce((total, before) => total + before, 0);
    const weights = slice(ofRows, [first], [size]);
    if (livesInMainMemory()) return keptOnHost(weights.dataSync<'float32'>());
    // On a GPU the number of kept rows is unknown, so there is a slot for each possible row.
    const {values, indices} = largestFirst(weights, Math.min(rows.size, size));
    return {indices: cast(indices, 'int32'), weights: values} as Selection;
  });
}

function keptOnHost(weights: Float32Array): Selection | undefined {
  const rows = Array.from(weights.keys()).filter((row) => (weights[row] as number) > 0);
  if (rows.length === 0) return undefined;
  return {indices: tensor1d(rows, 'int32'), weights: tensor1d(rows.map((row) => weights[row] as number))};
}
