/** @file Computes the gradients of the kept rows of a batch. */

import {mul, onesLike, reshape, type Scalar, type Tensor, type Tensor1D, type Variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {livesInMainMemory} from '../../checks';
import {aliasOf, offTape, opsOnTape} from '../../engine';
import {type Differentiated, differentiate, type ForwardPass, type Stages} from '../../gradients/differentiate';
import {leadingPlace} from '../../gradients/places';
import {isReplaced} from '../../gradients/rules';
import type {Start} from '../../gradients/walk';
import {aroundCalls, layersOf, outputsOf} from '../../models/model';
import {countedOutputs, outputLosses} from '../../models/modelLosses';
import {addUp, putRows} from '../../rows';
import type {StepBatch} from './batch';
import type {LastLayer} from './lastLayer';
import type {BackwardStrategy, StepSettings} from './options';
import {type Chosen, chooseRows, type SelectorState} from './selection';

/**
 * Results of the forward pass over a batch. A type alias, because `tf.tidy` does not accept
 * interfaces.
 */
export type Forward = {
  predictions: Tensor[];
  /** `float32[count]`, with row weights: the training losses. */
  losses: Tensor1D;
  /** `float32[count]`, without row weights: what rows may be ranked by. */
  raw: Tensor1D;
  /** `float32[count, D]`, the input of the last dense layer, if the selector needs it. */
  features: Tensor | undefined;
  /** The penalty of each regulariser. */
  penalties: Scalar[];
  /** Number of ops on the tape that belong to the model; later ops belong to its loss. */
  modelOps: number;
};

/** Builds the stages of a forward pass, model and loss. `watch` may observe the model. */
export function forwardStages(
  {where, model, losses, lossWeights, lastLayer}: StepSettings,
  {xs, ys, rowWeights, view, formed, finite, context}: ForwardBatch,
  variables: Variable[],
  {training = true, watch = (run: () => ModelRun) => run()} = {},
) {
  // A function may predict any number of tensors for a joint loss, and has no penalties after them.
  const count = model.outputs.length || undefined;
  const run = (): ModelRun => {
    const outputs = outputsOf(model, formed(xs), training);
    const ops = opsOnTape();
    return {outputs: [...outputs, ...model.calculateLosses()], ops};
  };
  const lossesOf = (outputs: Tensor[]): Tensor1D[] => {
    const predictions = view.predictions(outputs.slice(0, count));
    const perOutput = outputLosses(where, losses, lossWeights, ys, predictions, view.losses, finite, context?.valid);
    const weights = countedOutputs(lossWeights).flatMap((output) => rowWeights[output] ?? []);
    const raw = addUp(perOutput);
    if (weights.length === 0) return [raw, raw];
    return [addUp(perOutput.map((ofRows, i) => mul<Tensor1D>(ofRows, weights[i] as Tensor1D))), raw];
  };
  return {
    model: {compute: () => watch(lastLayer ? () => withFeatures(lastLayer, run) : run), given: xs, targets: variables},
    loss: ({outputs}: ModelRun) => ({
      compute: () => ({outputs: lossesOf(outputs), ops: opsOnTape()}),
      given: [...outputs.slice(0, count), ...ys, ...rowWeights],
      targets: [...outputs, ...variables],
    }),
    seen: ({outputs, ops}: ModelRun, [losses, raw]: Tensor[]): Forward => ({
      predictions: offTape(() => view.predictions(outputs.slice(0, count))),
      losses: losses as Tensor1D,
      raw: raw as Tensor1D,
      penalties: (count === undefined ? [] : outputs.slice(count, lastLayer ? -1 : undefined)) as Scalar[],
      features: lastLayer && offTape(() => reshape(outputs.at(-1) as Tensor, [view.count, -1])),
      modelOps: ops,
    }),
  };
}

/** The parts of a batch that run forward. */
type ForwardBatch = Pick<StepBatch, 'xs' | 'ys' | 'rowWeights' | 'view' | 'formed' | 'finite'> &
  Partial<Pick<StepBatch, 'context'>>;

/** Adds the input of the last dense layer to the outputs of a model. */
function withFeatures(lastLayer: LastLayer, run: () => ModelRun): ModelRun {
  let ops = 0;
  const outputs = lastLayer.behind(() => {
    const ran = run();
    ops = ran.ops;
    return ran.outputs;
  });
  return {outputs, ops};
}

/**
 * Outputs of a model with the penalties of its regularisers, and the number of ops up to the
 * outputs.
 */
type ModelRun = {outputs: Tensor[]; ops: number};

/** Runs a batch forward in inference mode. */
export function inferred(settings: StepSettings, batch: ForwardBatch): Forward {
  const {model, loss, seen} = forwardStages(settings, batch, [], {training: false});
  const run = model.compute();
  return seen(run, loss(run).compute().outputs);
}

/** The gradients of a batch, with its forward pass and selection. */
export interface Gradients extends Pick<Differentiated<never>, 'gradients'>, How {
  forward: Forward;
  chosen: Chosen;
}

/** A strategy, with the reason and the work it saved in a sentence. */
export interface How<Strategy = BackwardStrategy> {
  strategy: Strategy;
  why: string;
  /** Share of the backward pass's multiplications that was saved, from 0 to 1. */
  saved: number;
}

/**
 * Runs all rows forward in training mode, selects, and walks back from the losses of the kept rows.
 * The walk stays with these rows as far as the ops allow.
 *
 *     n rows forward, k rows backward
 *
 * The gradient is that of Σ w·l over all rows, with weight 0 for rows that are not kept. So it is
 * correct for rows that interact, in the model or in the loss.
 */
export function walkBatch(
  settings: StepSettings,
  batch: StepBatch,
  variables: Variable[],
  state: SelectorState,
  layers: LayerOps,
  stages?: Stages,
): Gradients {
  const {where, backward, granularity} = settings;
  const {count} = batch;
  const {model, loss, seen: seenOf} = forwardStages(settings, batch, variables, layers);
  const objective: ForwardPass<{forward: Forward; chosen: Chosen}>['objective'] = (run, losses) => {
    const forward = seenOf(run, losses);
    const chosen = chooseRows(settings, batch, forward, state);
    const {rows, counts} = chosen;
    const seen = {forward, chosen};
    // Overflow of a bad row stays out of every product only if other rows are computed in its
    // place.
    const isSpoilt = chosen.hasBadRows && livesInMainMemory();
    const isMasked = backward === 'masked' || (granularity === 'element' && !isSpoilt);
    const isWhole = rows.size >= count && (isMasked || !isSpoilt);
    const leaveOut = !isMasked && mayLeaveRowsOut(settings) ? count : undefined;
    if (isWhole) {
      const whole = {counts: putRows(counts, rows, count), share: chosen.share};
      return {seen, starts: startsOf(settings, forward, whole), leaveOut};
    }
    const from = isMasked ? forward.modelOps : 0;
    const starts = startsOf(settings, forward, {counts: aliasOf(counts), share: chosen.share}, count);
    return {seen, starts, cut: {rows, batchSize: count, from}, leaveOut};
  };
  const differentiated = differentiate(where, variables, {model, loss, objective}, stages);
  const {seen, gradients, walked} = differentiated;
  const {strategy, why, saved} = explained(settings, count, differentiated, layers);
  const how = walked?.isReplayed ? '; the kernels of an earlier step run again' : '';
  return {forward: seen.forward, chosen: seen.chosen, gradients, strategy, why: `${why}${how}`, saved};
}

/**
 * Whether values must be inspected to find kept rows without a gradient: if a loss mixes rows. Not
 * on a GPU, where inspecting them would wait.
 */
function mayLeaveRowsOut({losses, granularity}: StepSettings): boolean {
  return granularity === 'sample' && livesInMainMemory() && !losses.every(({rowwise}) => rowwise);
}

/**
 * Returns the starts of the walk: the losses with their factors, and the penalties of the
 * regularisers, unless these are added elsewhere.
 */
export function startsOf(
  {penalised = true}: StepSettings,
  {losses, penalties}: Forward,
  {counts, share}: Pick<Chosen, 'counts' | 'share'>,
  batchSize?: number,
): Start[] {
  const place = batchSize === undefined ? undefined : leadingPlace([batchSize], batchSize);
  const ofRegularisers = penalised ? penalties : [];
  return [
    {tensor: losses, value: counts, place},
    ...ofRegularisers.map((tensor) => ({tensor, value: share ? mul(onesLike(tensor), share) : onesLike(tensor)})),
  ];
}

/** Explains a step in which all rows ran backward. */
const masked = (why: string): How => ({strategy: 'masked', why, saved: 0});

const OF_ELEMENTS = masked('elements of every row may be kept, so all rows run backward');

/** Returns the strategy before the first step. */
export function beforeFirst({backward, granularity}: StepSettings): How<'auto' | BackwardStrategy> {
  if (granularity === 'element') return OF_ELEMENTS;
  return {strategy: backward, why: backward === 'auto' ? 'the first batch decides' : 'as requested', saved: 0};
}

function explained(
  {backward, granularity}: StepSettings,
  count: number,
  {seen, walked}: Differentiated<{forward: Forward; chosen: Chosen}>,
  layers: LayerOps,
): How {
  const kept = seen.chosen.rows.size;
  const all = `all ${count} rows run backward`;
  if (!walked) return masked(`${all}, because this build of tfjs hides its gradient tape`);
  if (granularity === 'element') return OF_ELEMENTS;
  if (backward === 'masked') return masked(`as requested: ${all}`);
  const {multiplications, blockedAt, blocker, taken = kept, saved} = walked;
  if (taken >= count) return masked(`${all}, because all are kept`);
  const {modelOps} = seen.forward;
  const layerAt = (op: number) => (op < modelOps ? (layers.layerOf(op, modelOps) ?? 'the model') : 'the loss');
  const others = walked.taken === undefined ? '' : ' (the loss has no gradient with respect to the other outputs)';
  const ran = `${taken} of ${count} rows run backward${others}`;
  if (multiplications.all === 0 && !blocker) return {strategy: 'pruned', why: ran, saved};
  if (multiplications.cut === 0) {
    const isForeign = blocker !== undefined && isReplaced(blocker);
    const replaced = `a second copy of tfjs, or other code, has replaced the gradient of ${blocker}`;
    return masked(
      `${all}, because ${isForeign ? replaced : `rows may interact in ${layerAt(blockedAt)} (${blocker})`}`,
    );
  }
  const share = `${Math.round(100 * saved)} % of the multiplications of the backward pass`;
  const until = blocker === undefined ? '' : `; all rows run backward from ${blocker} in ${layerAt(blockedAt)} on`;
  return {strategy: 'pruned', why: `${ran}, which saves ${share}${until}`, saved};
}

/** Maps ops on the tape to layers, from the first forward pass. */
export type LayerOps = ReturnType<typeof layerOps>;

interface WatchedLayer {
  name: string;
  /** Index of its first op on the tape, and one past its last. */
  first: number;
  end: number;
}

/** Watches the layers of a model and of its inner models. */
export function layerOps(model: LayersModel) {
  /** Inner layers come before the models that contain them. */
  let layers: WatchedLayer[] | undefined;
  return {
    /** Runs a forward pass, and records the ops of each layer if it is the first. */
    watch<T>(forward: () => T): T {
      if (layers) return forward();
      const seen: WatchedLayer[] = [];
      const noted = (layer: {name: string}, call: () => Tensor | Tensor[]) => {
        const first = opsOnTape();
        const outputs = call();
        seen.push({name: layer.name, first, end: opsOnTape()});
        return outputs;
      };
      layers = seen;
      return aroundCalls(layersOf(model), noted, forward);
    },
    /** Returns the layer of an op; undefined if the pass had other ops than the first one. */
    layerOf(op: number, modelOps: number): string | undefined {
      const end = Math.max(...(layers ?? []).map((layer) => layer.end));
      return end === modelOps ? layers?.find((layer) => layer.first <= op && op < layer.end)?.name : undefined;
    },
  };
}
