/** @file The ways from a batch to the gradients of its kept rows. */

import {clone, concat, onesLike, type Tensor1D, tensor1d, type Variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {livesInMainMemory, typeError} from '../../checks';
import {offTape} from '../../engine';
import {type Differentiated, differentiate} from '../../gradients/differentiate';
import {leadingPlace} from '../../gradients/places';
import type {Start} from '../../gradients/walk';
import {layersOf} from '../../models/model';
import {putRows, takeRows} from '../../rows';
import type {StepBatch} from './batch';
import {type Forward, runForward} from './forward';
import type {LayerOps} from './layerOps';
import type {BackwardStrategy, StepSettings} from './options';
import {type Chosen, chooseRows} from './selection';
import type {SelectorState} from './selectorState';

/** The gradients of a batch, and what was seen on the way. */
export interface Gradients extends Pick<Differentiated<never>, 'gradients'> {
  forward: Forward;
  chosen: Chosen;
  strategy: BackwardStrategy;
  /** Why that strategy, and how much it saved, in a sentence. */
  why: string;
}

/**
 * Runs all rows forward in training mode, selects, and walks back from the losses of the kept rows: with these rows alone, as far as the ops
 * allow.
 *
 *     n rows forward, k rows backward
 *
 * The gradient is that of Σ w·l over all rows, 0 for those that are not kept. So it is right for rows that interact, in the model
 * or in the loss.
 */
export function walkBatch(
  settings: StepSettings,
  batch: StepBatch,
  variables: Variable[],
  state: SelectorState,
  layers: LayerOps,
): Gradients {
  const {where, backward, granularity} = settings;
  const {count} = batch;
  const differentiated = differentiate(where, variables, () => {
    const forward = layers.watch(() => runForward(settings, batch, true));
    const chosen = offTape(() => chooseRows(settings, batch, forward, state));
    const {rows, counts} = chosen;
    const seen = {forward, chosen};
    // Rows that must not be used are in no product only if others are computed in their places.
    const isWhole = rows.size >= count && !(chosen.isReplaced && livesInMainMemory());
    if (isWhole) return {seen, starts: offTape(() => startsOf(forward, putRows(counts, rows, count)))};
    const from = backward === 'masked' || granularity === 'element' ? forward.modelOps : 0;
    return {seen, starts: offTape(() => startsOf(forward, clone(counts), count)), cut: {rows, batchSize: count, from}};
  });
  const {seen, gradients} = differentiated;
  return {...seen, gradients, ...explained(settings, count, differentiated, layers)};
}

/**
 * Scores the batch in inference mode without a tape, and runs an ordinary step on the rows that were selected.
 *
 *     n rows forward (inference mode), k rows forward and backward (training mode)
 *
 * The two copies of the network of the OHEM paper, one read-only and one trained, with the least memory: the activations of `k` rows are
 * saved. It is the gradient of the batch only if rows do not interact, so that has to be proved.
 *
 * @throws TypeError if it is not, or a layer keeps a state, or is not of tfjs-layers, before anything but the statistics has changed.
 *
 * @see Shrivastava, Gupta & Girshick, CVPR 2016, §4.2 (arXiv:1604.03540)
 */
export function recomputeBatch(
  settings: StepSettings,
  batch: StepBatch,
  variables: Variable[],
  state: SelectorState,
): Gradients {
  const {where, model} = settings;
  checkRecomputable(where, model);
  const scored = runForward(settings, batch, false);
  const chosen = chooseRows(settings, batch, scored, state);
  // Of one row there is nothing to prove: it is computed twice, and counts once.
  const isOne = chosen.rows.size === 1;
  const rows = isOne ? concat([chosen.rows, chosen.rows]) : chosen.rows;
  const counts = isOne ? concat([chosen.counts, tensor1d([0])]) : chosen.counts;
  const kept = {
    ...batch,
    xs: batch.xs.map((x) => takeRows(x, rows)),
    ys: batch.ys.map((y) => takeRows(y, rows)),
    rowWeights: batch.rowWeights.map((weights) => takeRows(weights, rows)),
  };
  const {seen, gradients, mixing} = differentiate(where, variables, () => {
    const forward = runForward(settings, kept, true);
    const tensors = [...kept.xs, ...kept.ys, ...kept.rowWeights];
    return {seen: forward, starts: startsOf(forward, clone(counts)), rowwise: {tensors, batchSize: rows.size}};
  });
  if (mixing !== undefined) throw notRecomputable(where, 'model and loss', `rows that may interact (${mixing})`);
  const why = `as asked for: ${chosen.rows.size} of ${batch.count} rows run forward a second time, and backward`;
  return {forward: {...scored, penalties: seen.penalties}, chosen, gradients, strategy: 'recompute', why};
}

/** The losses with what their rows count, and the penalties of the regularisers. */
function startsOf({losses, penalties}: Forward, counts: Tensor1D, batchSize?: number): Start[] {
  const place = batchSize === undefined ? undefined : leadingPlace([batchSize], batchSize);
  return [{tensor: losses, value: counts, place}, ...penalties.map((tensor) => ({tensor, value: onesLike(tensor)}))];
}

const OF_ELEMENTS = {
  strategy: 'masked' as const,
  why: 'elements of every row may be kept, so all rows run backward',
};

/** What is known of the way to the gradients before the first step. */
export function beforeFirst({backward, granularity}: StepSettings): {
  strategy: 'auto' | BackwardStrategy;
  why: string;
} {
  if (granularity === 'element') return OF_ELEMENTS;
  return {strategy: backward, why: backward === 'auto' ? 'the first batch decides' : 'as asked for'};
}

function explained(
  {backward, granularity}: StepSettings,
  count: number,
  {seen, walked, blocker}: Differentiated<{forward: Forward; chosen: Chosen}>,
  layers: LayerOps,
): {strategy: BackwardStrategy; why: string} {
  const kept = seen.chosen.rows.size;
  const all = `all ${count} rows run backward`;
  if (!walked) return {strategy: 'masked', why: `${all}, since this build of tfjs hides its gradient tape`};
  if (granularity === 'element') return OF_ELEMENTS;
  if (backward === 'masked') return {strategy: 'masked', why: `as asked for: ${all}`};
  if (kept >= count) return {strategy: 'masked', why: `${all}, since all are kept`};
  const {multiplications, blockedAt} = walked;
  const {modelOps} = seen.forward;
  const layer = blockedAt < modelOps ? (layers.layerOf(blockedAt, modelOps) ?? 'the model') : 'the loss';
  const share = multiplications.all === 0 ? Number(!blocker) : multiplications.cut / multiplications.all;
  if (share === 0) return {strategy: 'masked', why: `${all}, since rows may interact in ${layer} (${blocker})`};
  const saved = `${Math.round(100 * share * (1 - kept / count))} % of the multiplications of the backward pass`;
  const until = blocker === undefined ? '' : `; all rows run backward from ${blocker} in ${layer} on`;
  return {strategy: 'pruned', why: `${kept} of ${count} rows run backward, which saves ${saved}${until}`};
}

/** Layers whose outputs depend on weights, inputs and draws alone, and not on how many rows there are. */
const KNOWN_LAYERS = new Set(
  `Activation Add AlphaDropout Average AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional CategoryEncoding
  CenterCrop Concatenate Conv1D Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM2D Cropping2D Dense DepthwiseConv2D Dot Dropout ELU
  Embedding Flatten GRU GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D
  GlobalMaxPooling2D InputLayer LSTM LayerNormalization LeakyReLU Masking MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum Model
  Functional Multiply PReLU Permute RNN ReLU RepeatVector Rescaling Reshape Resizing SeparableConv2D Sequential SimpleRNN Softmax
  SpatialDropout1D ThresholdedReLU TimeDistributed UpSampling2D ZeroPadding2D`.split(/\s+/),
);

function checkRecomputable(where: string, model: LayersModel): void {
  for (const layer of layersOf(model)) {
    if (layer.stateful) throw notRecomputable(where, 'model', `the layer ${layer.name}, which keeps a state`);
    const isOwn = Object.hasOwn(layer, 'call') || !KNOWN_LAYERS.has(layer.getClassName());
    if (isOwn) throw notRecomputable(where, 'model', `the layer ${layer.name}, which is not one of tfjs-layers`);
  }
  const fixed = model.inputs.find(({shape}) => shape[0] !== null);
  if (fixed) throw notRecomputable(where, 'model', `a batch size fixed at ${fixed.shape[0]}`);
}

function notRecomputable(where: string, what: string, got: string): TypeError {
  const remedy = "The kept rows alone would have another gradient: take backward: 'auto'.";
  return typeError(where, what, "be known to go row by row for backward: 'recompute'", got, remedy);
}
