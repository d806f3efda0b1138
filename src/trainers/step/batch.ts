import {
  cast,
  where as chooseEach,
  fill,
  less,
  logicalAnd,
  maximum,
  mul,
  notEqual,
  ones,
  Tensor,
  type Tensor1D,
  tensor1d,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkRows, checkValues, mayReadValues} from '../../checks';
import {isNumbers, type SampleWeights, type StepOptions} from '../../data/batchOptions';
import {classWeightRows} from '../../data/classWeights';
import {type BatchView, elementView, rowView} from '../../data/views';
import {finiteRows} from '../../finite';
import {checkTruths, comparableRows, countedOutputs, validRows} from '../../models/modelLosses';
import {type BatchTensors, byOutput, modelTensors, type PerOutput, type StepTensors} from '../../models/modelTensors';
import {replacedRows} from '../../rows';
import type {SelectionContext} from '../../types';
import {checkLabels} from './dynamics';
import type {StepSettings} from './options';
import {checkUnit} from './part';

/**
 * A batch in the order of its model, ready for the forward pass. "Rows" are the units of mining:
 * elements, if elements are mined.
 */
export interface StepBatch {
  /**
   * Inputs of the model. Rows that are not finite are replaced by others, because even 0 · NaN is
   * NaN.
   */
  xs: Tensor[];
  /** Targets, `[count, …]`, with the same rows replaced. */
  ys: Tensor[];
  /** `float32[count]` per output, the weights of the row losses. Empty: 1 each. */
  rowWeights: Tensor1D[];
  /** Converts inputs to the form that the model takes. */
  formed: BatchTensors['formed'];
  /** The original tensors, before rows were replaced. */
  given: {xs: Tensor[]; ys: Tensor[]; rowWeights: Tensor1D[]};
  /** `bool[count]`: rows that were not replaced; undefined if none was. */
  finite: Tensor1D | undefined;
  /** `[count]`, 0 = never selected; undefined if all rows may be. */
  valid: Tensor1D | undefined;
  /** Whether the groups in the context are the rows that contain the elements. */
  isGroupedByRow: boolean;
  /** Inputs of the selector beside the losses. */
  context: SelectionContext;
  view: BatchView;
  /** Number of rows. */
  count: number;
}

/** Checks the arguments of a step, and puts them in the order of the model. */
export function stepBatch(
  settings: StepSettings,
  givenXs: StepTensors,
  givenYs: StepTensors,
  {sampleWeight, classWeight, ...given}: StepOptions = {},
): StepBatch {
  const {where, model, losses, lossWeights, targets, outputs, granularity, dynamics} = settings;
  if (given.threshold) checkUnit(settings);
  const allYs = targets ? withUncounted(model, targets, lossWeights, givenYs) : givenYs;
  const tensors = modelTensors(where, model, givenXs, allYs, {targets});
  const batchSize = tensors.xs[0]?.shape[0] as number;
  const view =
    granularity === 'element' ? elementView(where, 'ys', tensors.ys, outputs) : rowView(where, batchSize, outputs);
  const ys = view.targets(tensors.ys);
  const ofSamples = sampleWeightRows(where, targets ?? ['loss'], sampleWeight, view);
  const ofClasses = classWeight == null ? [] : classWeightRows(where, targets, classWeight, ys, outputs);
  const rowWeights = weightsOf(ys, ofSamples, ofClasses);
  const context = view.context(given);
  const {xs, formed} = tensors;
  const rows = {xs, ys, rowWeights};
  const counted = targets ? countedOutputs(lossWeights) : [...ys.keys()];
  const used = cleaned(rows, view, counted);
  const {finite} = used;
  const usable: StepBatch = {
    xs: used.xs,
    ys: used.ys,
    rowWeights: used.rowWeights,
    formed,
    given: rows,
    finite,
    valid: validOf(where, losses, counted, {ys, count: view.count, finite, context}),
    isGroupedByRow: granularity === 'element' && given.group === undefined,
    context,
    view,
    count: view.count,
  };
  if (dynamics) checkLabels(where, usable, outputs[0]?.shape?.at(-1) === 1);
  const versions = used === rows ? [rows] : [rows, used];
  for (const {ys: truths, rowWeights: weights} of versions) {
    checkTruths(losses, counted, truths, (output) => [context.valid ?? [], weights[output] ?? []].flat());
  }
  return usable;
}

/** Fills targets that are missing, and whose loss has weight 0, with NaN. */
function withUncounted(
  model: LayersModel,
  targets: readonly string[],
  lossWeights: readonly number[],
  ys: StepTensors,
): StepTensors {
  const [first] = Object.values(Object(ys)) as Tensor[];
  if (ys instanceof Tensor || Array.isArray(ys) || !(first instanceof Tensor)) return ys;
  const counted = countedOutputs(lossWeights);
  const missing = targets.filter((name, output) => !counted.includes(output) && ys[name] == null);
  const unknown = missing.map((name) => {
    const {shape = [null, 1]} = (model.outputs[targets.indexOf(name)] ?? {}) as {shape?: (number | null)[]};
    const sizes = shape.slice(1).map((size) => size ?? 1);
    return [name, fill([first.shape[0] ?? 0, ...sizes], Number.NaN)] as const;
  });
  return missing.length === 0 ? ys : {...ys, ...Object.fromEntries(unknown)};
}

/**
 * Replaces rows with a non-finite input, target or weight by a finite row, with its target and
 * weight.
 */
function cleaned(
  rows: StepBatch['given'],
  view: BatchView,
  counted: number[],
): StepBatch['given'] & Partial<Pick<StepBatch, 'finite'>> {
  const {xs, ys, rowWeights} = rows;
  const isByRow = view.count === xs[0]?.shape[0];
  const targets = [...counted.map((output) => ys[output] as Tensor), ...rowWeights];
  const ofXs = isByRow ? undefined : finiteRows(xs, xs[0]?.shape[0] as number);
  const ofTargets = finiteRows(isByRow ? [...xs, ...targets] : targets, view.count);
  const spread = ofXs && view.spread(ofXs);
  const finite = spread && ofTargets ? logicalAnd<Tensor1D>(spread, ofTargets) : (spread ?? ofTargets);
  if (!finite) return rows;
  const ofInputs = isByRow ? finite : ofXs;
  return {
    xs: ofInputs ? replacedRows(xs, ofInputs) : xs,
    ys: replacedRows(ys, finite),
    rowWeights: replacedRows(rowWeights, finite),
    finite,
  };
}

/** Returns the valid rows: those that the caller marks, and that have a label in some output. */
function validOf(
  where: string,
  losses: StepSettings['losses'],
  counted: number[],
  {ys, count, finite, context: {valid}}: Pick<StepBatch, 'ys' | 'count' | 'finite' | 'context'>,
): Tensor1D | undefined {
  if (valid) checkRows(where, 'valid', valid, count);
  const compared = comparableRows(finite, valid);
  const labelled = counted.map((output) => validRows(losses[output] ?? losses[0], ys[output] as Tensor, compared));
  if (labelled.includes(undefined)) return valid;
  const anyLabel = (labelled as Tensor1D[]).reduce((some, next) => maximum(some, next));
  return valid ? mul(anyLabel, cast(notEqual(valid, 0), 'float32')) : anyLabel;
}

function weightsOf(ys: Tensor[], ofSamples: (Tensor1D | undefined)[], ofClasses: Tensor1D[]): Tensor1D[] {
  if (ofSamples.length === 0 && ofClasses.length === 0) return [];
  return ys.map(({shape: [count = 0]}, output) => {
    const both = [ofSamples[output], ofClasses[output]].filter((weights) => weights !== undefined);
    return both.length === 0 ? ones([count]) : both.reduce((one, other) => mul(one, other));
  });
}

function sampleWeightRows(
  where: string,
  names: readonly string[],
  given: SampleWeights | null | undefined,
  view: BatchView,
): (Tensor1D | undefined)[] {
  if (given == null) return [];
  const weights = isNumbers(given) ? tensor1d(Array.from(given)) : given;
  return byOutput<Tensor>(where, 'sampleWeight', names, weights as PerOutput<Tensor>).map((tensor, output) => {
    if (!tensor) return undefined;
    const ofRows = view.weights(tensor, output);
    // NaN passes: such a row counts as not finite.
    checkValues(where, 'sampleWeight', 'hold numbers >= 0', tensor, (weight) => !(weight < 0));
    // If values may not be read, a negative weight becomes 0, so that it cannot maximise the loss.
    return mayReadValues() ? ofRows : (chooseEach(less(ofRows, 0), zerosLike(ofRows), ofRows) as Tensor1D);
  });
}
