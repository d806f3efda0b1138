import {
  add,
  cast,
  concat,
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
import type {Ledger, SelectionContext} from '../../types';
import {type OhemStepOptions, observedStep} from '../ohemStep';
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
  ledger: Ledger | undefined,
  keptOf: KeptBySize,
): (batch: TrainingBatch, context: SelectionContext) => Promise<StepFigures> {
  /** The penalty of the regularisers, how many rows are valid, and the metrics, of the forward pass that is under way. */
  let seen: Tensor1D | undefined;
  const observe: Observer = ({batch, predictions, valid}) => {
    seen = tidy(() => {
      const penalty = model.calculateLosses().reduce<Scalar>((total, next) => add(total, next), scalar(0));
      return keep(packed([penalty, sum(cast(valid, 'float32')), ...evaluate(batch, predictions)]));
    });
  };
  const step = observedStep(model, options, observe, keptOf);

  const read = async (batch: TrainingBatch, report: StepReport, observed: Tensor1D): Promise<StepFigures> => {
    const figures = tidy(() => concat([figuresOf(report), observed, ...(ledger ? entriesOf(batch, report) : [])]));
    try {
      const [loss = 0, batchLoss = 0, kept = 0, nonFinite = 0, penalty = 0, valid = 0, ...rest] =
        await figures.data<'float32'>();
      const metrics = Object.fromEntries(names.map((name, i) => [name, rest[i] as number]));
      ledger?.record(...entries(batch, rest.slice(names.length), report.selection.indices.size));
      return {
        logs: {loss: loss + penalty, batchLoss, kept, ...metrics},
        nonFinite: nonFinite > 0 ? await nonFiniteRows(batch, report.losses) : [],
        hasFinite: nonFinite < Math.max(valid, 1),
      };
    } finally {
      figures.dispose();
    }
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

/** What a ledger takes note of: losses, what was selected, and the rows, where only the device knows them. */
function entriesOf({rows}: TrainingBatch, {losses, selection: {indices, weights}}: StepReport): Tensor1D[] {
  return [
    losses,
    cast(indices, 'float32'),
    weights,
    ...(rows instanceof Tensor ? [cast(rows, 'float32') as Tensor1D] : []),
  ];
}

function entries({rows, size}: TrainingBatch, values: number[], selected: number): Parameters<Ledger['record']> {
  const losses = Float32Array.from(values.slice(0, size));
  const kept = new Uint8Array(size);
  for (let i = 0; i < selected; i++) {
    if ((values[size + selected + i] as number) > 0) kept[values[size + i] as number] = 1;
  }
  return [rows instanceof Int32Array ? rows : Int32Array.from(values.slice(size + 2 * selected)), losses, kept];
}

/** A second read, where something is wrong: which rows it is. */
async function nonFiniteRows({rows, size}: TrainingBatch, losses: Tensor1D): Promise<number[]> {
  const [values, names] = await Promise.all([losses.data(), rows instanceof Tensor ? rows.data() : rows]);
  const perRow = values.length / size;
  const places = Array.from(values).flatMap((value, i) => (Number.isFinite(value) ? [] : [Math.floor(i / perRow)]));
  return [...new Set(places)].map((place) => names?.[place] ?? place);
}
