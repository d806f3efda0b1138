import {
  add,
  cast,
  clone,
  dispose,
  greater,
  keep,
  type Scalar,
  scalar,
  sum,
  Tensor,
  type Tensor1D,
  tidy,
} from '@tensorflow/tfjs-core';
import type {LayersModel, Logs} from '@tensorflow/tfjs-layers';
import {typeError} from '../../checks';
import {entered, entriesOf} from '../../insight/observedStep';
import {readTogether} from '../../insight/readTogether';
import type {Ledger, SelectionContext} from '../../types';
import {observedStep} from '../ohemStep';
import type {SelectorMemory} from '../selectorMemory';
import type {OhemStepOptions} from '../stepOptions';
import type {StepReport} from '../stepReport';
import type {Observer} from '../stepTask';
import type {KeptBySize} from '../strategist';
import type {TrainingBatch} from './batchSource';
import type {Evaluator} from './evaluator';
import {packed} from './validation';

/** What a trainer knows of a step when it is done. */
export interface StepFigures {
  /** `loss` with the regularisers, `batchLoss`, `kept`, and the metrics. */
  logs: Logs;
  /** Rows of the dataset (or of the batch, where these are not known) whose loss was not finite. */
  nonFinite: readonly number[];
  /** Whether there was a row to learn from. */
  hasFinite: boolean;
}

/** An `ohemStep` that reads once what a trainer logs, and writes up the ledger. */
export function minedStep(
  where: string,
  model: LayersModel,
  options: OhemStepOptions,
  {names, evaluate}: Evaluator,
  {ledger, ...shared}: {ledger: Ledger | undefined; keptOf: KeptBySize; memory: SelectorMemory},
): (batch: TrainingBatch, context: SelectionContext) => Promise<StepFigures> {
  /** The penalty of the regularisers, how many rows are valid, and the metrics, of the forward pass that is under way. */
  let seen: Tensor1D | undefined;
  const observe: Observer = ({batch, predictions, valid}) => {
    seen = tidy(() => {
      const penalty = model.calculateLosses().reduce<Scalar>((total, next) => add(total, next), scalar(0));
      return keep(packed([penalty, sum(cast(valid, 'float32')), ...evaluate(batch, predictions)]));
    });
  };
  const step = observedStep(model, options, {observe, ...shared});

  const read = async (batch: TrainingBatch, report: StepReport, observed: Tensor1D): Promise<StepFigures> => {
    const tensors = tidy(() => [figuresOf(report), clone(observed), ...(ledger ? entriesOf(report) : [])]);
    const [[ofStep = [], ofForward = [], ...entries], rows] = await Promise.all([
      readTogether(tensors),
      ledger && rowsOf(batch),
    ]);
    const [loss = 0, batchLoss = 0, kept = 0, nonFinite = 0] = ofStep;
    const [penalty = 0, valid = 0, ...metrics] = ofForward;
    if (ledger && rows) {
      const {losses, kept: isKept} = entered(entries);
      ledger.record(rows, losses, isKept);
    }
    return {
      logs: {
        ...{loss: loss + penalty, batchLoss, kept},
        ...Object.fromEntries(names.map((name, i) => [name, metrics[i] as number])),
      },
      nonFinite: nonFinite > 0 ? await nonFiniteRows(batch, report.losses) : [],
      hasFinite: nonFinite < Math.max(valid, 1),
    };
  };

  return async (batch, context) => {
    if (ledger && !batch.rows) {
      throw typeError(where, 'dataset', 'give items {xs, ys, index} for a ledger', 'one without index');
    }
    let report: StepReport | undefined;
    try {
      report = step(batch.xs, batch.ys, {...batch.options, ...context});
      return await read(batch, report, seen as Tensor1D);
    } finally {
      report?.dispose();
      dispose(seen ?? []);
      seen = undefined;
    }
  };
}

function figuresOf({loss, batchLoss, selection, nonFinite}: StepReport): Tensor1D {
  return packed([loss, batchLoss, sum(cast(greater(selection.weights, 0), 'float32')), nonFinite]);
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
