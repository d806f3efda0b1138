import {
  abs,
  add,
  argMax,
  cast,
  where as chooseEach,
  div,
  expandDims,
  fill,
  isFinite as isFiniteTensor,
  logicalAnd,
  maximum,
  mul,
  notEqual,
  range,
  type Scalar,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Variable,
  zeros,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkRows, checkValues, mayReadValues} from '../checks';
import type {BackwardTask, Batch} from '../gradients/backwardPass';
import {takeBatchRows, takeRows} from '../gradients/rows';
import {finiteInputs} from '../models/modelTensors';
import {outputsOf} from '../models/outputsOf';
import {countedRows, elementLosses, outputLosses, rowLosses, total, validRows} from '../models/rowLosses';
import type {Granularity, PerSampleLoss, Reduction, SelectionContext, Selector} from '../types';
import {elementContext, type GivenContext} from './elementContext';
import {ofEachElement, predictedElements} from './elements';
import {countsOf} from './reduce';
import type {SelectorMemory} from './selectorMemory';
import {checkSelection, settle} from './settle';
import {outputShapes, type StepBatch} from './stepInputs';

/** What stays the same from step to step. */
export interface StepSettings {
  where: string;
  model: LayersModel;
  /** One for each output, as are the weights. */
  losses: PerSampleLoss[];
  lossWeights: number[];
  select: Selector;
  reduction: Reduction;
  rankBy: 'weighted' | 'raw';
  granularity: Granularity;
  memory: SelectorMemory;
}

/**
 * A backward task that also says what a trainer wants to know of it. Where elements are mined, its rows are the elements of the batch: only `predict`
 * and `cleanInputs` know the rows of the inputs.
 */
export interface StepTask extends BackwardTask {
  batchSize: number;
  /** `bool[B]`: the rows that count. */
  valid: Tensor1D;
  /** Refuses a loss by which rows judge one another: it would be another loss for the kept rows alone. */
  checkLoss(): void;
  /** Asks the selector how many rows it keeps of so many; their losses do not matter for that. */
  keeps(): number;
}

/** Puts the parts of a step together for a backward pass: the forward pass, the scores, the selection, the objective. */
export function stepTask(
  settings: StepSettings,
  variables: Variable[],
  batch: StepBatch,
  given: GivenContext,
): StepTask {
  const {where, model, losses, lossWeights, select, reduction, rankBy, memory} = settings;
  const {elements} = batch;
  const inputCount = batch.xs[0]?.shape[0] as number;
  const batchSize = elements?.count ?? inputCount;
  const finiteXs = finiteInputs(batch.xs);
  const finite = finiteXs && elements ? ofEachElement(finiteXs, elements) : finiteXs;
  const context = elements ? elementContext(where, given, elements) : (given as SelectionContext);
  const knownValid = validOf(where, losses, batch, batchSize, context);
  const valid = countedRows(knownValid, batchSize);

  const remembered = memory.recall();
  const contextFor = (predictions: Tensor[]): SelectionContext => ({
    ...(remembered && {memory: remembered}),
    ...context,
    ...(knownValid && {valid: knownValid}),
    ...(predictions.length === 1 && {yTrue: batch.ys[0] as Tensor, yPred: predictions[0] as Tensor}),
  });

  const weighted = ({ys, rowWeights}: Batch, predictions: Tensor[]) => {
    const lossesOf = elements ? elementLosses : rowLosses;
    const perOutput = outputLosses(where, losses, lossWeights, ys, predictions, lossesOf);
    const raw = total(perOutput);
    if (rowWeights.length === 0) return {raw, weighted: raw};
    return {raw, weighted: total(perOutput.map((ofRows, output) => mul(ofRows, rowWeights[output] as Tensor1D)))};
  };

  return {
    batch,
    batchSize,
    variables,
    valid,
    pruning: undefined,
    checkLoss() {
      if (!mayReadValues()) return;
      const inputs = range(0, Math.min(inputCount, Math.ceil(6 / (elements?.perRow ?? 1))), 1, 'int32') as Tensor1D;
      const predictions = this.predict(
        this.cleanInputs().map((x) => takeRows(x, inputs)),
        false,
      );
      const rowCount = predictions[0]?.shape[0] as number;
      const few = takeBatchRows({...batch, xs: []}, range(0, rowCount, 1, 'int32'));
      const some = range(0, rowCount, 2, 'int32');
      const ofAll = takeRows(weighted(few, predictions).raw, some);
      const ofSome = weighted(
        takeBatchRows(few, some),
        predictions.map((yPred) => takeRows(yPred, some)),
      ).raw;
      const difference = div(abs(sub(ofAll, ofSome)), add(abs(ofAll), 1e-6)) as Tensor1D;
      checkRowLosses(where, elements ? 'element' : 'row', difference);
    },
    keeps() {
      const yPred = model.outputs.map(({shape}) =>
        zeros(shape.map((size, axis) => (axis === 0 ? batchSize : (size ?? 1)))),
      );
      try {
        const selection = select(zeros([batchSize]), contextFor(yPred));
        checkSelection(where, selection, batchSize);
        return selection.indices.size;
      } catch {
        // A selector that goes by the losses themselves has nothing to say of these; if it is wrong, the step will tell.
        return batchSize;
      }
    },
    cleanInputs() {
      if (!finiteXs) return batch.xs;
      const standIn = expandDims(argMax(cast(finiteXs, 'int32')), 0);
      const rows = chooseEach(finiteXs, range(0, inputCount, 1, 'int32'), standIn) as Tensor1D;
      return batch.xs.map((x) => takeRows(x, rows));
    },
    predict(xs, training) {
      const predictions = outputsOf(model, xs, training);
      return elements ? predictedElements(where, 'ys', predictions, elements, outputShapes(model)) : predictions;
    },
    score(rows, predictions) {
      const scored = weighted(rows, predictions);
      const ofLosses = isFiniteTensor(scored.weighted);
      const usable = finite ? logicalAnd(ofLosses, finite) : ofLosses;
      const nowhere = fill(usable.shape, Number.NaN);
      const marked = (values: Tensor1D) => chooseEach(usable, values, nowhere) as Tensor1D;
      const marks = marked(scored.weighted);
      return {losses: marks, ranking: rankBy === 'raw' ? marked(scored.raw) : marks};
    },
    select(scores, predictions) {
      const forBatch = contextFor(predictions);
      const selection = select(scores.ranking, forBatch);
      memory.note(scores.ranking, forBatch);
      const {rows, selection: settled} = settle(where, selection, logicalAnd(isFiniteTensor(scores.ranking), valid));
      return {selection: settled, rows, counts: countsOf(settled.weights, batchSize, reduction)};
    },
    objective(kept, predictions, counts) {
      const reduced = sum<Scalar>(mul(weighted(kept, predictions).weighted, counts));
      return model.calculateLosses().reduce<Scalar>((total, penalty) => add(total, penalty), reduced);
    },
  };
}

/** Which rows count, `float32[B]`: those that the caller says do, and that have a label in some output. */
function validOf(
  where: string,
  losses: PerSampleLoss[],
  {ys}: Batch,
  batchSize: number,
  {valid}: SelectionContext,
): Tensor1D | undefined {
  if (valid) checkRows(where, 'valid', valid, batchSize);
  const labelled = losses.map((loss, output) => validRows(loss, ys[output] as Tensor));
  if (labelled.includes(undefined)) return valid;
  const anyLabel = (labelled as Tensor1D[]).reduce((some, next) => maximum(some, next));
  return valid ? mul(anyLabel, cast(notEqual(valid, 0), 'float32')) : anyLabel;
}

/** Refuses relative differences between the losses of rows among all rows and among some; those that are not finite tell nothing. */
function checkRowLosses(where: string, what: 'row' | 'element', differences: Tensor1D): void {
  const isSame = (difference: number) => !(difference > 1e-3);
  const remedy = 'A mean or a ranking over the batch belongs into the selector.';
  const constraint = `judge each ${what} by itself, whatever others are in the batch`;
  checkValues(where, 'loss', constraint, differences, isSame, remedy);
}
