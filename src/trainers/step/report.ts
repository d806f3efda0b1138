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
  /** How many rows were learned from. */
  kept: number;
  /** How many rows were left out because their loss was not finite. */
  nonFinite: number;
}

/**
 * What a step saw and did, still on the device: the step has waited for nothing. Yours to `read()` or `dispose()`. Figures are
 * computed when they are first asked for. When elements are mined, every row here is an element: the losses are `float32[B·P]` in
 * row-major order, the selection points into them, and elements are counted.
 */
export interface StepReport {
  /** `float32[]`, the reduction of the kept rows' losses as they were scored, without regularisers; 0 if nothing was learned. */
  readonly loss: Scalar;
  /** `float32[]`, mean loss of all rows that are valid and finite. */
  readonly batchLoss: Scalar;
  /** `float32[B]`, the weighted loss of every row, as it was ranked. */
  readonly losses: Tensor1D;
  /** Which rows were backpropagated, hardest first. */
  readonly selection: Selection;
  /** `int32[]`, rows left out because their loss (or their input) was not finite. */
  readonly nonFinite: Scalar;
  /** How each row was predicted, `float32[B]` each; undefined without the option `dynamics`. */
  readonly dynamics: RowDynamics<Tensor1D> | undefined;
  /**
   * `float32[]`, how far the embeddings of two rows are apart on average, for a loss of pairs: near 0 if they have collapsed
   * to a point. Computed when it is first asked for. Undefined for other losses, and if the batches of several calls are
   * ranked together.
   */
  readonly spread: Scalar | undefined;
  /**
   * Share of the multiplications of the backward pass that was saved, a number from 0 to 1; of several batches that run
   * backward, that of the last.
   */
  readonly saved: number;
  /** Reads the figures, once and together, and disposes the report. */
  read(): Promise<StepSummary>;
  /** Disposes every tensor of the report. */
  dispose(): void;
}

/** What a report is computed from. (A type, so that `tf.tidy` takes it.) */
export type Reported = {
  losses: Tensor1D;
  selection: Selection;
  /** `[B]`, 0 = not valid; undefined if all rows are valid. */
  valid: Tensor1D | undefined;
  /** Undefined if nobody asked for it. */
  dynamics?: RowDynamics<Tensor1D> | undefined;
  /** Of which the loss says how far they are apart. */
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
        throw new Error('StepReport: read() must be called once, got a second call. Keep what the first returned.');
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

/** All tensors of a report. */
export function tensorsOf({losses, selection, valid, dynamics, embeddings}: Reported): Tensor[] {
  const ofDynamics = dynamics ? [dynamics.margins, dynamics.confidences, dynamics.correct, dynamics.errors] : [];
  const asked = [valid, embeddings].filter((tensor) => tensor !== undefined);
  return [losses, selection.indices, selection.weights, ...asked, ...ofDynamics];
}

/** The figures of a step, and what they are means of. */
export interface Figures extends StepSummary {
  /** How many rows are valid and finite, which `batchLoss` is the mean of. */
  finite: number;
  /** What the reduction divided by for `loss`. */
  divisor: number;
}

/** `loss`, `batchLoss`, `kept` and `nonFinite`. */
export function figuresOf({loss, batchLoss, selection, nonFinite}: StepReport): Scalar[] {
  return [loss, batchLoss, sum<Scalar>(cast(greater(selection.weights, 0), 'float32')), nonFinite];
}

/** `finite` and `divisor`. */
export function countsOfFigures({losses, selection, valid}: Reported, reduction: Reduction): Scalar[] {
  const isFiniteRow = isFiniteTensor(losses);
  const counted = valid ? logicalAnd(isFiniteRow, notEqual(valid, 0)) : isFiniteRow;
  return [sum<Scalar>(cast(counted, 'float32')), denominatorOf(keptOf({losses, selection}), reduction)];
}

/** The figures of a step, computed on the host from what lies in main memory. */
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

/** Puts scalars side by side, to be read together. */
export function packed(scalars: Scalar[]): Tensor1D {
  return concat(scalars.map((value) => reshape(cast(value, 'float32'), [1])));
}

/** What a step reports: of a selection that did not count, no row was learned from. */
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

/** Finds the loss that says how far embeddings are apart, and the output that it is of; of several the first. */
export function lossOfEmbeddings({
  losses,
}: Pick<StepSettings, 'losses'>): {loss: PerSampleLoss; output: number} | undefined {
  const output = losses.findIndex((loss) => (loss as Partial<PerSampleLoss>).spread !== undefined);
  return output < 0 ? undefined : {loss: losses[output] as PerSampleLoss, output};
}

/** The embeddings that such a loss is of, with NaN for rows that were replaced. */
function embeddingsOf(
  settings: Pick<StepSettings, 'losses'>,
  {finite}: Pick<StepBatch, 'finite'>,
  {predictions}: Pick<Forward, 'predictions'>,
): Tensor | undefined {
  const found = lossOfEmbeddings(settings);
  const embeddings = found && predictions[found.output];
  return embeddings && (finite ? nanUnless(finite, embeddings) : clone(embeddings));
}
