import {
  add,
  cast,
  clone,
  dispose,
  notEqual,
  type Scalar,
  scalar,
  sum,
  Tensor,
  type Tensor1D,
  tidy,
} from '@tensorflow/tfjs-core';
import type {Logs} from '@tensorflow/tfjs-layers';
import {rangeError, typeError} from '../../checks';
import type {Place, TrainingBatch} from '../../data/batchSource';
import {entered, entriesOf} from '../../insight/ledgerBatch';
import {readTogether} from '../../insight/readTogether';
import type {Ledger, SelectionContext} from '../../types';
import type {Evaluate, Stepper} from '../ohemStep';
import type {StepSettings} from '../step/options';
import {figuresOf, packed, type StepReport, stepReport} from '../step/report';
import type {Evaluator} from './evaluation';

/** What a trainer knows of a step when it is done. */
export interface StepFigures {
  /** `loss` with the regularisers, `batchLoss`, `kept`, and the metrics. */
  logs: Logs;
  /** Rows of the dataset (or of the batch, if these are not known) whose loss was not finite. */
  nonFinite: readonly number[];
  /** Whether there was a row to learn from. */
  hasFinite: boolean;
  /** Whether gradients and statistics were finite, so that the weights could change. */
  hasFiniteGradients: boolean;
}

/** Builds a mined step that reads once what a trainer logs, and writes up the ledger. */
export function minedStep(
  settings: StepSettings,
  steps: Stepper,
  {names, evaluate}: Evaluator,
  ledger: Ledger | undefined,
): (batch: TrainingBatch, context: SelectionContext) => Promise<StepFigures> {
  /** The penalty of the regularisers, how many rows are valid, and the metrics. */
  const figures: Evaluate = (batch, {predictions, penalties}) => {
    const penalty = penalties.reduce<Scalar>((total, next) => add(total, next), scalar(0));
    const valid = batch.valid ? sum<Scalar>(cast(notEqual(batch.valid, 0), 'float32')) : scalar(batch.count);
    return [penalty, valid, ...evaluate(batch, predictions)];
  };

  return async (batch, context) => {
    if (ledger && !batch.rows) {
      const constraint = 'give items {xs, ys, index} for a ledger';
      throw typeError(settings.where, 'dataset', constraint, 'one without index');
    }
    const {reported, observed} = tidy(() => {
      const taken = steps.take(batch.xs, batch.ys, {...batch.options, ...context}, figures);
      return {reported: taken.reported, observed: packed([taken.finite, ...taken.evaluated])};
    });
    const report = stepReport(reported, settings.reduction);
    try {
      return await readStep(batch, report, observed, names, ledger);
    } finally {
      report.dispose();
      dispose(observed);
    }
  };
}

/** Reads the figures of a step at once, and enters its rows in the ledger. */
async function readStep(
  batch: TrainingBatch,
  report: StepReport,
  observed: Tensor1D,
  names: readonly string[],
  ledger: Ledger | undefined,
): Promise<StepFigures> {
  const tensors = tidy(() => [figuresOf(report), clone(observed), ...(ledger ? entriesOf(report) : [])]);
  const [[ofStep = [], ofForward = [], ...entries], rows] = await Promise.all([
    readTogether(tensors),
    ledger && rowsOf(batch),
  ]);
  const [loss = 0, batchLoss = 0, kept = 0, nonFinite = 0] = ofStep;
  const [areFinite = 0, penalty = 0, valid = 0, ...metrics] = ofForward;
  if (ledger && rows) {
    const {losses, kept: isKept} = entered(entries);
    ledger.record(rows, losses, isKept);
  }
  const ofMetrics = Object.fromEntries(names.map((name, i) => [name, metrics[i] as number]));
  return {
    logs: {loss: loss + penalty, batchLoss, kept, ...ofMetrics},
    nonFinite: nonFinite > 0 ? await nonFiniteRows(batch, report.losses) : [],
    hasFinite: nonFinite < Math.max(valid, 1),
    hasFiniteGradients: areFinite === 1,
  };
}

/** Rows that only the device knows are read by themselves: a row number may be too large for float32. */
async function rowsOf({rows}: TrainingBatch): Promise<Int32Array | undefined> {
  return rows instanceof Tensor ? Int32Array.from(await rows.data()) : rows;
}

/** A second read, where something is wrong: which rows it is. */
async function nonFiniteRows(batch: TrainingBatch, losses: Tensor1D): Promise<number[]> {
  const [values, names] = await Promise.all([losses.data(), rowsOf(batch)]);
  const perRow = values.length / batch.size;
  const places = Array.from(values).flatMap((value, i) => (Number.isFinite(value) ? [] : [Math.floor(i / perRow)]));
  return [...new Set(places)].map((place) => names?.[place] ?? place);
}

/** How many rows a message names. */
const NAMED = 10;

/**
 * Warns once of rows whose loss is not finite, and once of gradients that are not. Refuses a batch without a finite loss.
 */
export function nonFiniteWatch(where: string): (figures: StepFigures, place: Place) => void {
  let [hasWarned, hasWarnedOfGradients] = [false, false];
  return ({nonFinite, hasFinite, hasFiniteGradients}, {epoch, batch}) => {
    if (hasFinite && !hasFiniteGradients && !hasWarnedOfGradients) {
      hasWarnedOfGradients = true;
      console.warn(
        `${where}: the losses are finite, but gradients or batch statistics are not (epoch ${epoch}, batch ${batch}). ` +
          'The weights stay as they are, and so they will after later batches like it. ' +
          'Lower the learning rate, or look for an op without a finite gradient, such as the root of 0.',
      );
    }
    if (nonFinite.length === 0) return;
    const rows = `${nonFinite.slice(0, NAMED).join(', ')}${nonFinite.length > NAMED ? ', …' : ''}`;
    if (!hasFinite) {
      const got = `none in epoch ${epoch}, batch ${batch} (rows ${rows})`;
      const remedy = 'The weights are those before this batch. Look for NaN in these rows, or lower the learning rate.';
      throw rangeError(where, 'loss', 'be finite for at least one row of each batch', got, remedy);
    }
    if (hasWarned) return;
    hasWarned = true;
    console.warn(
      `${where}: rows ${rows} have a loss that is not finite (epoch ${epoch}, batch ${batch}). They are skipped, and so will any later ones.`,
    );
  };
}
