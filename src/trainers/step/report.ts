import {
  cast,
  where as chooseEach,
  clone,
  concat,
  dispose,
  div,
  greater,
  isFinite as isFiniteTensor,
  keep,
  logicalAnd,
  logicalNot,
  maximum,
  mul,
  notEqual,
  reshape,
  type Scalar,
  sum,
  type Tensor,
  type Tensor1D,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {livesInMainMemory} from '../../checks';
import {nanUnless} from '../../rows';
import type {PerSampleLoss, Reduction, RowDynamics, Selection} from '../../types';
import type {Forward} from './backward';
import type {StepBatch} from './batch';
import {rowDynamics} from './dynamics';
import type {StepSettings} from './options';
import {type Chosen, denominatorOf, hostDenominator, keptOf, reduceKept} from './selection';

/** The figures of a step as numbers. */
export interface StepSummary {
  loss: number;
  batchLoss: number;
  /** Number of rows trained on. */
  kept: number;
  /** Number of rows left out because their loss was not finite. */
  nonFinite: number;
}

/**
 * Results of a step, still on the device, because a step waits for no read. Yours to `read()` or
 * `dispose()`. Figures are computed on first access. If elements are mined, every row here is an
 * element: the losses are `float32[B·P]` in row-major order, and the selection and the counts refer
 * to elements.
 */
export interface StepReport {
  /**
   * `float32[]`, the reduced loss of the kept rows as they were scored, without regularisers. 0 if
   * no row was trained on.
   */
  readonly loss: Scalar;
  /** `float32[]`, mean loss of all rows that are valid and finite. */
  readonly batchLoss: Scalar;
  /** `float32[B]`, the weighted loss of every row, as it was ranked. */
  readonly losses: Tensor1D;
  /** The rows that were backpropagated, hardest first. */
  readonly selection: Selection;
  /** `int32[]`, number of rows left out because their loss (or their input) was not finite. */
  readonly nonFinite: Scalar;
  /** How each row was predicted, `float32[B]` each; undefined without the option `dynamics`. */
  readonly dynamics: RowDynamics<Tensor1D> | undefined;
  /**
   * `float32[]`, the mean distance between the embeddings of two rows, for a pair loss. Near 0 if
   * they have collapsed to a point. Computed on first access. Undefined for other losses, and if
   * the batches of several calls are ranked together.
   */
  readonly spread: Scalar | undefined;
  /**
   * Share of the backward pass's multiplications that was saved, from 0 to 1. If several batches
   * run backward, that of the last.
   */
  readonly saved: number;
  /** Reads all figures in a single read, and disposes the report. */
  read(): Promise<StepSummary>;
  /** Disposes every tensor of the report. */
  dispose(): void;
}

/**
 * The tensors that a report is computed from. A type alias, because `tf.tidy` does not accept
 * interfaces.
 */
export type Reported = {
  losses: Tensor1D;
  selection: Selection;
  /** `[B]`, 0 = not valid; undefined if all rows are valid. */
  valid: Tensor1D | undefined;
  /** Undefined without the option `dynamics`. */
  dynamics?: RowDynamics<Tensor1D> | undefined;
  /** Embeddings whose spread the loss computes. */
  embeddings?: Tensor | undefined;
};

/** Builds the report of a step, which owns the given tensors. */
export function stepReport(
  {losses, selection, valid, dynamics, embeddings}: Reported,
  reduction: Reduction,
  {saved = 0, spread}: {saved?: number; spread?: PerSampleLoss['spread']} = {},
): StepReport {
  const computed = new Map<string, Scalar>();
  const figure = (name: string, compute: () => Scalar): Scalar => {
    const known = computed.get(name) ?? tidy(() => keep(compute()));
    computed.set(name, known);
    return known;
  };
  const ofValid = (marks: Tensor1D): Tensor1D => (valid ? logicalAnd(marks, notEqual(valid, 0)) : marks);
  let isRead = false;
  const report: StepReport = {
    losses,
    selection,
    dynamics,
    saved,
    get loss() {
      return figure('loss', () => reduceKept(keptOf({losses, selection}), reduction));
    },
    get batchLoss() {
      return figure('batchLoss', () => meanOf(losses, ofValid(isFiniteTensor(losses))));
    },
    get nonFinite() {
      return figure('nonFinite', () => sum(cast(ofValid(logicalNot(isFiniteTensor(losses))), 'int32')));
    },
    get spread() {
      return embeddings && spread && figure('spread', () => spread(embeddings));
    },
    dispose() {
      dispose([...tensorsOf({losses, selection, valid, dynamics, embeddings}), ...computed.values()]);
    },
    async read() {
      if (isRead) {
        throw new Error('StepReport: read() must be called once, got a second call. Keep the result of the first.');
      }
      isRead = true;
      if (livesInMainMemory()) {
        const {finite: _, divisor: __, ...summary} = hostFigures({losses, selection, valid}, reduction);
        report.dispose();
        return summary;
      }
      const figures = tidy(() => packed(figuresOf(report)));
      report.dispose();
      return readSummary(figures);
    },
  };
  return report;
}

function meanOf(losses: Tensor1D, counted: Tensor1D): Scalar {
  const total = sum(chooseEach(counted, losses, zerosLike(losses)));
  return div(total, maximum(sum(cast(counted, 'float32')), 1));
}

async function readSummary(figures: Tensor1D): Promise<StepSummary> {
  try {
    const [loss, batchLoss, kept, nonFinite] = (await figures.data<'float32'>()) as unknown as number[];
    return {loss, batchLoss, kept, nonFinite} as StepSummary;
  } finally {
    figures.dispose();
  }
}

/** Lists all tensors of a report. */
export function tensorsOf({losses, selection, valid, dynamics, embeddings}: Reported): Tensor[] {
  const ofDynamics = dynamics ? [dynamics.margins, dynamics.confidences, dynamics.correct, dynamics.errors] : [];
  const asked = [valid, embeddings].filter((tensor) => tensor !== undefined);
  return [losses, selection.indices, selection.weights, ...asked, ...ofDynamics];
}

/** The figures of a step, with the counts that they are means over. */
export interface Figures extends StepSummary {
  /** Number of rows that are valid and finite, the divisor of `batchLoss`. */
  finite: number;
  /** Divisor of the reduction in `loss`. */
  divisor: number;
}

/** Returns `loss`, `batchLoss`, `kept` and `nonFinite`. */
export function figuresOf({loss, batchLoss, selection, nonFinite}: StepReport): Scalar[] {
  return [loss, batchLoss, sum<Scalar>(cast(greater(selection.weights, 0), 'float32')), nonFinite];
}

/** Returns `finite` and `divisor`. */
export function countsOfFigures({losses, selection, valid}: Reported, reduction: Reduction): Scalar[] {
  const isFiniteRow = isFiniteTensor(losses);
  const counted = valid ? logicalAnd(isFiniteRow, notEqual(valid, 0)) : isFiniteRow;
  return [sum<Scalar>(cast(counted, 'float32')), denominatorOf(keptOf({losses, selection}), reduction)];
}

/** Computes the figures of a step on the host, from tensors in main memory. */
export function hostFigures({losses, selection, valid}: Reported, reduction: Reduction): Figures {
  const values = losses.dataSync<'float32'>();
  const [indices, weights] = [selection.indices.dataSync(), selection.weights.dataSync<'float32'>()];
  const isValid = valid?.dataSync();
  const summary = {loss: 0, batchLoss: 0, kept: 0, nonFinite: 0, finite: 0, divisor: 0};
  for (const [place, row] of indices.entries()) {
    const [weight, loss] = [weights[place] as number, values[row] as number];
    if (!(weight > 0)) continue;
    summary.kept++;
    summary.loss += weight * loss;
  }
  const kept = () => Float32Array.from(indices, (row) => values[row] as number);
  const {threshold} = selection;
  summary.divisor = hostDenominator(
    {losses: kept, weights: () => weights, batchSize: values.length, threshold},
    reduction,
  );
  summary.loss = summary.divisor > 0 ? summary.loss / summary.divisor : 0;
  for (const [row, value] of values.entries()) {
    if (isValid && isValid[row] === 0) continue;
    if (!Number.isFinite(value)) summary.nonFinite++;
    else {
      summary.finite++;
      summary.batchLoss += value;
    }
  }
  summary.batchLoss /= Math.max(summary.finite, 1);
  return summary;
}

/** Concatenates scalars, to be read together. */
export function packed(scalars: Scalar[]): Tensor1D {
  return concat(scalars.map((value) => reshape(cast(value, 'float32'), [1])));
}

/**
 * Collects the results of a step. If the step was not sound, the weights of its selection are 0.
 */
export function reportOf(
  settings: Pick<StepSettings, 'where' | 'dynamics' | 'losses'>,
  batch: Pick<StepBatch, 'valid' | 'ys' | 'finite'>,
  forward: Pick<Forward, 'predictions'>,
  {losses, selection: {weights, ...selection}}: Pick<Chosen, 'losses' | 'selection'>,
  sound: Scalar | boolean,
): Reported {
  const {valid, ys} = batch;
  const factor = sound === true ? undefined : sound === false ? 0 : cast(sound, 'float32');
  const learned = factor === undefined ? weights : (mul(weights, factor) as Tensor1D);
  const dynamics =
    settings.dynamics && rowDynamics(settings.where, settings.dynamics, {ys, predictions: forward.predictions, valid});
  const embeddings = embeddingsOf(settings, batch, forward);
  return {losses, selection: {...selection, weights: learned}, valid: valid && clone(valid), dynamics, embeddings};
}

/** Finds the first loss that computes the spread of its embeddings, and its output. */
export function lossOfEmbeddings({
  losses,
}: Pick<StepSettings, 'losses'>): {loss: PerSampleLoss; output: number} | undefined {
  const output = losses.findIndex((loss) => (loss as Partial<PerSampleLoss>).spread !== undefined);
  return output < 0 ? undefined : {loss: losses[output] as PerSampleLoss, output};
}

/** Returns the embeddings of that loss, with NaN for rows that were replaced. */
function embeddingsOf(
  settings: Pick<StepSettings, 'losses'>,
  {finite}: Pick<StepBatch, 'finite'>,
  {predictions}: Pick<Forward, 'predictions'>,
): Tensor | undefined {
  const found = lossOfEmbeddings(settings);
  const embeddings = found && predictions[found.output];
  return embeddings && (finite ? nanUnless(finite, embeddings) : clone(embeddings));
}
