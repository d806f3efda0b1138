import {clone, concat, tensor1d, type Variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {typeError} from '../../checks';
import {differentiate} from '../../gradients/differentiate';
import {layersOf} from '../../models/model';
import {takeRows} from '../../rows';
import {type Gradients, runForward, startsOf} from './backward';
import type {StepBatch} from './batch';
import type {StepSettings} from './options';
import {chooseRows, type SelectorState} from './selection';

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
