import {
  abs,
  add,
  addN,
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
  type Tensor,
  type Tensor1D,
  type Variable,
  zeros,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkRows, checkValues, mayReadValues} from '../checks';
import type {BackwardTask, Batch} from '../gradients/backwardPass';
import {takeBatchRows, takeRows} from '../gradients/rows';
import type {PerSampleLoss, Reduction, SelectionContext, Selector} from '../types';
import {reduceKept} from './reduce';
import {countedRows, rowLosses, validRows} from './rowLosses';
import {checkSelection, settle} from './settle';
import {finiteInputs} from './stepInputs';

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
}

/** A backward task that also says what a trainer wants to know of it. */
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
  batch: Batch,
  context: SelectionContext,
): StepTask {
  const {where, model, losses, lossWeights, select, reduction, rankBy} = settings;
  const batchSize = batch.xs[0]?.shape[0] as number;
  const finite = finiteInputs(batch.xs);
  const knownValid = validOf(where, losses, batch, context);
  const valid = countedRows(knownValid, batchSize);

  const contextFor = (predictions: Tensor[]): SelectionContext => ({
    ...context,
    ...(knownValid && {valid: knownValid}),
    ...(predictions.length === 1 && {yTrue: batch.ys[0] as Tensor, yPred: predictions[0] as Tensor}),
  });

  const weighted = ({ys, rowWeights}: Batch, predictions: Tensor[]) => {
    const perOutput = predictions.map((yPred, output) => {
      const ofRows = rowLosses(where, losses[output] as PerSampleLoss, ys[output] as Tensor, yPred);
      return lossWeights[output] === 1 ? ofRows : mul<Tensor1D>(ofRows, lossWeights[output] as number);
    });
    return {
      raw: total(perOutput),
      weighted: total(perOutput.map((ofRows, output) => mul<Tensor1D>(ofRows, rowWeights[output] ?? 1))),
    };
  };

  return {
    batch,
    batchSize,
    variables,
    valid,
    pruning: undefined,
    checkLoss() {
      if (!mayReadValues()) return;
      const few = takeBatchRows({...batch, xs: this.cleanInputs()}, range(0, Math.min(batchSize, 6), 1, 'int32'));
      const predictions = this.predict(few.xs, false);
      const some = range(0, few.xs[0]?.shape[0] as number, 2, 'int32');
      const ofAll = takeRows(weighted(few, predictions).raw, some);
      const ofSome = weighted(
        takeBatchRows({...few, xs: []}, some),
        predictions.map((yPred) => takeRows(yPred, some)),
      ).raw;
      const difference = div(abs(sub(ofAll, ofSome)), add(abs(ofAll), 1e-6)) as Tensor1D;
      checkRowLosses(where, difference);
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
      if (!finite) return batch.xs;
      const standIn = expandDims(argMax(cast(finite, 'int32')), 0);
      const rows = chooseEach(finite, range(0, batchSize, 1, 'int32'), standIn) as Tensor1D;
      return batch.xs.map((x) => takeRows(x, rows));
    },
    predict(xs, training) {
      const outputs = model.apply(xs.length === 1 ? (xs[0] as Tensor) : xs, {training}) as Tensor | Tensor[];
      return Array.isArray(outputs) ? outputs : [outputs];
    },
    score(rows, predictions) {
      const scored = weighted(rows, predictions);
      const ofLosses = isFiniteTensor(scored.weighted);
      const usable = finite ? logicalAnd(ofLosses, finite) : ofLosses;
      const nowhere = fill(usable.shape, Number.NaN);
      const marked = (values: Tensor1D) => chooseEach(usable, values, nowhere) as Tensor1D;
      return {losses: marked(scored.weighted), ranking: marked(rankBy === 'raw' ? scored.raw : scored.weighted)};
    },
    select(scores, predictions) {
      const selection = select(scores.ranking, contextFor(predictions));
      return settle(where, selection, logicalAnd(isFiniteTensor(scores.ranking), valid) as Tensor1D);
    },
    objective(kept, predictions, weights) {
      const reduced = reduceKept(weighted(kept, predictions).weighted, weights, batchSize, reduction);
      return model.calculateLosses().reduce<Scalar>((sum, penalty) => add(sum, penalty), reduced);
    },
  };
}

function total(terms: Tensor1D[]): Tensor1D {
  return terms.length === 1 ? (terms[0] as Tensor1D) : addN(terms);
}

/** Which rows count, `float32[B]`: those that the caller says do, and that have a label in some output. */
function validOf(
  where: string,
  losses: PerSampleLoss[],
  {xs, ys}: Batch,
  {valid}: SelectionContext,
): Tensor1D | undefined {
  if (valid) checkRows(where, 'valid', valid, xs[0]?.shape[0] as number);
  const labelled = losses.map((loss, output) => validRows(loss, ys[output] as Tensor));
  if (labelled.includes(undefined)) return valid;
  const anyLabel = (labelled as Tensor1D[]).reduce((some, next) => maximum(some, next));
  return valid ? mul(anyLabel, cast(notEqual(valid, 0), 'float32')) : anyLabel;
}

/** Refuses relative differences between the losses of rows among all rows and among some; those that are not finite tell nothing. */
function checkRowLosses(where: string, differences: Tensor1D): void {
  const isSame = (difference: number) => !(difference > 1e-3);
  const remedy = 'A mean or a ranking over the batch belongs into the selector.';
  checkValues(where, 'loss', 'judge each row by itself, whatever others are in the batch', differences, isSame, remedy);
}
