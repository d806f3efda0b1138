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
  randomUniform,
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
import type {BackwardTask} from '../gradients/backwardPass';
import {type Batch, takeBatchRows} from '../gradients/batch';
import {takeRows} from '../gradients/rows';
import {finiteInputs} from '../models/modelTensors';
import {outputsOf} from '../models/outputsOf';
import {countedRows, LOSSES_OF, outputLosses, total, validRows} from '../models/rowLosses';
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

/** Looks at a batch once, with the predictions by which its rows are scored, off the tape. What it makes it has to `keep`. */
export type Observer = (seen: {batch: Batch; predictions: Tensor[]; valid: Tensor1D}) => void;

/** A task that shows its batch to an observer. */
export function observed(task: StepTask, observe: Observer | undefined): StepTask {
  if (!observe) return task;
  return {
    ...task,
    score(batch, predictions) {
      observe({batch, predictions, valid: task.valid});
      return task.score(batch, predictions);
    },
  };
}

/** Puts the parts of a step together for a backward pass: the forward pass, the scores, the selection, the objective. */
export function stepTask(
  settings: StepSettings,
  variables: Variable[],
  batch: StepBatch,
  given: GivenContext,
): StepTask {
  const {where, model, losses, lossWeights, select, reduction, rankBy, granularity, memory} = settings;
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
    const perOutput = outputLosses(where, losses, lossWeights, ys, predictions, LOSSES_OF[granularity]);
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
      // Made up: for this question any predictions will do, and asking the model would move the state of a recurrent one.
      const rowCount = Math.min(batchSize, 6);
      const predictions = model.outputs.map(({shape}, output) => {
        const [, ...further] = batch.ys[output]?.shape ?? [];
        const axes = elements ? shape.slice(Math.max(shape.length - 1, 1)) : shape.slice(1);
        const sizes = axes.map((size, axis) => size ?? further[axis] ?? 1);
        return randomUniform([rowCount, ...(elements && sizes.length === 0 ? [1] : sizes)], 0.05, 0.95, 'float32', 1);
      });
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
