import {clone, type Scalar, scalar, Tensor, type Tensor1D, tidy} from '@tensorflow/tfjs-core';
import type {Logs} from '@tensorflow/tfjs-layers';
import {livesInMainMemory, mayReadValues, rangeError, typeError} from '../../checks';
import type {StepOptions} from '../../data/batchOptions';
import type {Place, TrainingBatch} from '../../data/batchSource';
import {entered, enteredTensors, entriesOf} from '../../insight/ledgerBatch';
import {readTogether} from '../../insight/readTogether';
import {addUp} from '../../rows';
import type {Ledger, PerSampleLoss, Reduction, SelectionContext} from '../../types';
import type {Evaluate, Stepper, TakenStep} from '../ohemStep';
import type {StepSettings} from '../step/options';
import {
  countsOfFigures,
  type Figures,
  figuresOf,
  hostFigures,
  lossOfEmbeddings,
  packed,
  stepReport,
  tensorsOf,
} from '../step/report';
import {SMALLEST} from '../step/selection';
import type {BatchFigures, EpochTotals} from './epochs';
import type {Evaluator} from './evaluation';
import type {ScoredRows} from './rowScores';

/** Figures of a completed step that a trainer logs or checks. */
export interface StepFigures extends BatchFigures {
  /**
   * Rows whose loss was not finite: numbers in the dataset, or positions in the batch if those are
   * unknown.
   */
  nonFinite: readonly number[];
  /** Whether the inputs of these rows are finite, so that the model itself overflowed. */
  isOfModel: boolean;
  /** Whether some row has a finite loss. */
  hasFinite: boolean;
  /** Whether gradients and statistics were finite, so that the weights could change. */
  hasFiniteGradients: boolean;
  /** Whether the update waits for more batches. */
  isPending: boolean;
  /** Mean distance between embeddings, if it was due. */
  spread: number | undefined;
}

/** Every 16th step computes the spread of its embeddings, which costs a matrix product. */
const SPREAD_EVERY = 16;

/** Where the rows of each step are recorded. */
export interface RowRecords {
  ledger?: Ledger | undefined;
  /** The scores that a sampler reads. */
  scored?: ScoredRows | undefined;
}

/** Options of a batch, with the step number and the schedule's state at its selection. */
export type BatchOptions = StepOptions & Pick<SelectionContext, 'step' | 'schedule'>;

/** Builds a mined step that reads all logged figures at once, and records its rows. */
export function minedStep(
  settings: StepSettings,
  steps: Stepper,
  {names, evaluate}: Evaluator,
  {ledger, scored}: RowRecords,
) {
  /** Rows of the batches that wait to be ranked with later ones. */
  let waiting: number[] = [];
  /** Computes value and row count of each metric; then the penalty of the regularisers, if any. */
  const figures: Evaluate = (batch, forward) => {
    const {predictions, penalties} = forward;
    scored?.note(batch, forward);
    const ofMetrics = evaluate(batch, predictions).flatMap(({value, count}) => [value, count]);
    return penalties.length === 0 ? ofMetrics : [...ofMetrics, addUp(penalties)];
  };
  const reading = {settings, names, ledger, scored};
  const spread = lossOfEmbeddings(settings)?.loss.spread;
  let count = 0;
  const readingNow = (): Reading => (spread && count++ % SPREAD_EVERY === 0 ? {...reading, spread} : reading);
  return {
    /**
     * Returns a promise only if a wait is needed: with a small model, awaiting takes a noticeable
     * share of the step.
     */
    take(batch: TrainingBatch, options: BatchOptions): StepFigures | Promise<StepFigures> {
      if (ledger && !batch.rows) {
        const constraint = 'give items {xs, ys, index} for a ledger';
        throw typeError(settings.where, 'dataset', constraint, 'one without index');
      }
      const taken = tidy(() => steps.take(batch.xs, batch.ys, options, figures));
      const before = waiting;
      const rows = async () => [...before, ...(await rowsOf(batch))];
      waiting = [];
      if (taken.batches > 0) return readStep(readingNow(), taken, rows, batch);
      return rows().then((all) => {
        waiting = all;
        return readStep(readingNow(), taken, rows, batch);
      });
    },
    /** Updates the weights by the pending batches; undefined if there are none. */
    async flush(): Promise<StepFigures | undefined> {
      const penalised = () => {
        const penalties = settings.model.calculateLosses();
        // The rows were evaluated in their own steps.
        const nothing = names.flatMap(() => [scalar(0), scalar(0)]);
        return penalties.length === 0 ? nothing : [...nothing, addUp(penalties)];
      };
      const [taken, rows] = [tidy(() => steps.flush(penalised)), waiting];
      waiting = [];
      return taken && (await readStep(reading, taken, async () => rows));
    },
  };
}

interface Reading extends RowRecords {
  settings: StepSettings;
  /** Names of the metrics. */
  names: readonly string[];
  /** Spread of the embeddings, if it is due in this step. */
  spread?: PerSampleLoss['spread'];
}

/** Reads the figures of a step at once, records its rows, and disposes the tensors of the step. */
function readStep(
  reading: Reading,
  taken: TakenStep,
  rows: () => Promise<number[]>,
  batch?: TrainingBatch,
): StepFigures | Promise<StepFigures> {
  const {settings, ledger, scored, spread} = reading;
  const {embeddings} = taken.reported;
  if (spread && embeddings) taken.evaluated.push(tidy(() => spread(embeddings)));
  // Batches that wait to be ranked are reported and recorded with the others.
  const isEntered = taken.batches > 0 && ledger !== undefined;
  const scores = scored?.takeNoted();
  const read = livesInMainMemory()
    ? readOnHost(taken, settings.reduction, isEntered, scores)
    : readOnDevice(taken, settings.reduction, isEntered, scores);
  if (read instanceof Promise || read.entries.length > 0 || read.scores || read.figures.nonFinite > 0)
    return writtenUp(reading, {taken, scores, batch, rows}, read);
  release(taken);
  return figuresOfStep(reading, taken, read);
}

/** A step whose rows are to be recorded. */
interface StepOfRows {
  taken: TakenStep;
  /** Scores of the rows, for a sampler. */
  scores: Tensor1D | undefined;
  batch: TrainingBatch | undefined;
  /** Reads the numbers of the rows that the step reports on. */
  rows: () => Promise<number[]>;
}

/**
 * Records the rows of a step in the ledger and the scores, and finds rows without a finite loss.
 */
async function writtenUp(
  reading: Reading,
  {taken, scores, batch, rows}: StepOfRows,
  reads: StepRead | Promise<StepRead>,
): Promise<StepFigures> {
  const {losses} = taken.reported;
  try {
    const read = await reads;
    if (read.scores) reading.scored?.enter(await rowsOf(batch as TrainingBatch), read.scores);
    if (read.entries.length > 0) {
      const {losses: ofRows, kept, dynamics} = entered(read.entries);
      const ofDataset = Int32Array.from(await rows());
      if (dynamics) reading.ledger?.record(ofDataset, ofRows, kept, dynamics);
      else reading.ledger?.record(ofDataset, ofRows, kept);
    }
    const figures = figuresOfStep(reading, taken, read);
    if (read.figures.nonFinite === 0) return figures;
    const isOfModel = await haveFiniteInputs(losses, taken.finiteRows);
    return {...figures, nonFinite: await nonFiniteRows(losses, rows), isOfModel};
  } finally {
    release(taken);
    scores?.dispose();
  }
}

/** Disposes the tensors of a step. */
function release({reported, evaluated, finite, finiteRows, updated}: TakenStep): void {
  for (const tensor of [...tensorsOf(reported), ...evaluated, finiteRows]) tensor?.dispose();
  for (const flag of [finite, updated]) if (flag instanceof Tensor) flag.dispose();
}

function figuresOfStep(
  {settings: {reduction}, names, spread}: Reading,
  {reported: {losses, embeddings}, batches, isPending}: TakenStep,
  {figures, areFinite, isUpdated, observed}: StepRead,
): StepFigures {
  // After the metrics come the regularisation penalty, if any, and the embedding spread, if it is
  // due.
  const hasSpread = spread !== undefined && embeddings !== undefined;
  const last = observed.length - (hasSpread ? 1 : 0);
  const penalty = last > 2 * names.length ? (observed[2 * names.length] as number) : 0;
  // Losses that are all 0 have a mean too, though it is the mean of no row with a loss.
  const ofRows = reduction === 'sum' ? losses.size : Math.max(figures.divisor, SMALLEST);
  const hasKept = figures.kept > 0;
  const logs: Logs = {
    // A step that kept no row has no training loss.
    loss: hasKept ? figures.loss + penalty : Number.NaN,
    batchLoss: figures.batchLoss,
    kept: figures.kept,
  };
  const counts: Logs = {loss: hasKept ? ofRows : 0, batchLoss: batches > 0 ? figures.finite : 0};
  for (const [i, name] of names.entries()) {
    logs[name] = observed[2 * i] ?? 0;
    counts[name] = observed[2 * i + 1] ?? 0;
  }
  const hasFinite = figures.finite > 0 || figures.nonFinite === 0;
  const [nonFinite, isOfModel, hasFiniteGradients] = [[], false, areFinite];
  const apart = hasSpread ? observed[last] : undefined;
  const seen = {nonFinite, isOfModel, hasFinite, hasFiniteGradients, isPending, spread: apart};
  return {logs, counts, ...seen, isUpdated: isUpdated ?? hasKept};
}

/**
 * Values read from a step: its figures, whether its gradients are finite, its metrics, and the
 * records of its rows.
 */
interface StepRead {
  figures: Figures;
  areFinite: boolean;
  /** Undefined if the figures tell. */
  isUpdated: boolean | undefined;
  observed: ArrayLike<number>;
  entries: Float32Array[];
  scores: Float32Array | undefined;
}

/** Reads a step synchronously: awaiting a promise takes longer than the read. */
function readOnHost(
  {reported, evaluated, finite, updated}: TakenStep,
  reduction: Reduction,
  isEntered: boolean,
  noted: Tensor1D | undefined,
): StepRead {
  const entries = isEntered ? enteredTensors(reported) : [];
  return {
    figures: hostFigures(reported, reduction),
    areFinite: isTrue(finite),
    isUpdated: updated === undefined ? undefined : isTrue(updated),
    observed: evaluated.map((value) => value.dataSync()[0] as number),
    entries: entries.map((tensor) => Float32Array.from(tensor.dataSync())),
    scores: noted?.dataSync<'float32'>(),
  };
}

function isTrue(flag: Scalar | boolean): boolean {
  return flag === true || (flag !== false && flag.dataSync()[0] === 1);
}

/** Reads a step by a single read. */
async function readOnDevice(
  {reported, evaluated, finite, updated}: TakenStep,
  reduction: Reduction,
  isEntered: boolean,
  noted: Tensor1D | undefined,
): Promise<StepRead> {
  const tensors = tidy(() => {
    const {losses, selection, valid} = reported;
    const {indices, weights} = selection;
    // The report disposes its tensors, so it gets copies.
    const copied = {losses: clone(losses), selection: {indices: clone(indices), weights: clone(weights)}};
    const report = stepReport({...copied, valid: valid && clone(valid)}, reduction);
    const flags = updated === undefined ? [finite] : [finite, updated];
    const scalars = [...flags.map((flag) => (typeof flag === 'boolean' ? scalar(flag, 'bool') : flag)), ...evaluated];
    const read = [
      packed([...figuresOf(report), ...countsOfFigures(reported, reduction)]),
      packed(scalars),
      ...(noted ? [clone(noted)] : []),
      ...(isEntered ? entriesOf(reported) : []),
    ];
    report.dispose();
    return read;
  });
  const [ofStep, observed, ...others] = await readTogether(tensors);
  const [scores, entries] = noted ? [others[0], others.slice(1)] : [undefined, others];
  const [loss = 0, batchLoss = 0, kept = 0, nonFinite = 0, finiteRows = 0, divisor = 0] = ofStep as Float32Array;
  const figures = {loss, batchLoss, kept, nonFinite, finite: finiteRows, divisor};
  const read = Array.from(observed as Float32Array);
  const [areFinite, isUpdated] = read.splice(0, updated === undefined ? 1 : 2);
  const ofFlags = {areFinite: areFinite === 1, isUpdated: isUpdated === undefined ? undefined : isUpdated === 1};
  return {figures, ...ofFlags, observed: read, entries, scores};
}

/**
 * Returns the rows of a batch in the dataset, or their positions if these are unknown. Never as
 * float32, which cannot hold a large row number.
 */
async function rowsOf({rows, size}: TrainingBatch): Promise<number[]> {
  if (rows instanceof Tensor) return Array.from(await rows.data());
  return rows ? Array.from(rows) : Array.from({length: size}, (_, place) => place);
}

/** Finds the rows without a finite loss. A second read, only taken if there are any. */
async function nonFiniteRows(losses: Tensor1D, rows: () => Promise<number[]>): Promise<number[]> {
  const [values, names] = await Promise.all([losses.data(), rows()]);
  const perRow = Math.max(values.length / Math.max(names.length, 1), 1);
  const places = Array.from(values).flatMap((value, i) => (Number.isFinite(value) ? [] : [Math.floor(i / perRow)]));
  return [...new Set(places)].map((place) => names[place] ?? place);
}

/** Whether inputs, targets and weights of all rows without a finite loss are finite. */
async function haveFiniteInputs(losses: Tensor1D, finiteRows: Tensor1D | undefined): Promise<boolean> {
  const [values, areFinite] = await Promise.all([losses.data(), finiteRows?.data()]);
  return values.every((value, row) => Number.isFinite(value) || areFinite?.[row] !== 0);
}

/**
 * A mean loss from which no training run recovers, although gradients are still finite far above
 * it.
 */
const DIVERGED = 1e12;

/** Number of rows that a message lists. */
const NAMED = 10;

/**
 * Builds the watch over non-finite values. It warns once per kind, with place and cause: rows with
 * non-finite inputs, a model that overflows, non-finite gradients. It throws for a batch without a
 * finite loss, and for an epoch that changed nothing.
 *
 * @param isSampled  whether a sampler chooses the rows. Its batches may be short, so one may hold
 *   only rows without a finite loss. Then only an epoch of such batches throws, not a single batch.
 */
export function nonFiniteWatch(where: string, isSampled: boolean) {
  const warned = new Set<string>();
  let refusal: RangeError | undefined;
  const warn = (kind: string, text: string) => {
    if (!warned.has(kind)) console.warn(`${where}: ${text}`);
    warned.add(kind);
  };
  return {
    step(figures: StepFigures, {epoch, batch}: Place): void {
      const {nonFinite, isOfModel, hasFinite, hasFiniteGradients, logs} = figures;
      const place = `epoch ${epoch}, batch ${batch}`;
      if (hasFinite && !hasFiniteGradients) warn('gradients', gradientTrouble(logs.batchLoss ?? 0, place));
      if (nonFinite.length === 0) return;
      const rows = `${nonFinite.slice(0, NAMED).join(', ')}${nonFinite.length > NAMED ? ', …' : ''}`;
      if (!hasFinite) {
        refusal = noFiniteRow(where, isSampled ? 'epoch' : 'batch', isOfModel, `none in ${place} (rows ${rows})`);
        if (!isSampled) throw refusal;
      }
      const skipped = `(${place}). They are skipped, as will be any later ones.`;
      if (!isOfModel) warn('rows', `rows ${rows} have a loss that is not finite ${skipped}`);
      else {
        const cause = mayReadValues() ? 'the model diverges' : 'the model diverges, or labels are wrong';
        const check = mayReadValues() ? '' : 'Check that all labels are classes of the model. ';
        const what = `${cause}: the inputs of rows ${rows} are finite, but their losses are not`;
        warn('model', `${what} ${skipped} ${check}Lower the learning rate, set clipNorm, or scale inputs and targets.`);
      }
    },
    /** Warns of weights that are not finite. The losses before the last update do not show it. */
    weights(epoch: number): void {
      warn(
        'weights',
        `the weights are not finite at the end of epoch ${epoch}: the model has diverged, and an update overflowed. ` +
          'They are never the best weights. Lower the learning rate, or set clipNorm.',
      );
    },
    /**
     * Throws for an epoch in which no step was taken; otherwise the run would continue without any
     * effect.
     */
    epoch({steps}: EpochTotals, epoch: number): void {
      const latest = refusal;
      refusal = undefined;
      if (steps > 0) return;
      if (latest) throw latest;
      throw warned.has('gradients') ? noFiniteGradient(where, epoch) : noKeptRow(where, epoch);
    },
  };
}

function gradientTrouble(batchLoss: number, place: string): string {
  const what =
    batchLoss > DIVERGED
      ? `the model has diverged: its mean loss is ${batchLoss.toPrecision(3)}, and gradients overflow (${place}).`
      : `the losses are finite, but the model has gradients or batch statistics that are not (${place}).`;
  return (
    `${what} This batch leaves the weights unchanged, as will later ones like it. ` +
    'Lower the learning rate, or look for an op without a finite gradient, such as the root of 0.'
  );
}

function noFiniteRow(where: string, of: 'batch' | 'epoch', isOfModel: boolean, got: string): RangeError {
  const cause = isOfModel
    ? 'The model has diverged: their inputs are finite. Lower the learning rate, or set clipNorm.'
    : 'Look for NaN in these rows, or lower the learning rate.';
  const remedy = `The weights are those before this ${of}. ${cause}`;
  return rangeError(where, 'loss', `be finite for at least one row of each ${of}`, got, remedy);
}

function noFiniteGradient(where: string, epoch: number): RangeError {
  const remedy = 'Nothing was learned. Lower the learning rate, or look for an op without a finite gradient.';
  return rangeError(
    where,
    'gradients',
    'be finite in at least one batch of an epoch',
    `none in epoch ${epoch}`,
    remedy,
  );
}

function noKeptRow(where: string, epoch: number): RangeError {
  const remedy = 'Nothing was learned. Check which rows the selector keeps, and valid and sampleWeight.';
  return rangeError(where, 'select', 'keep a row in at least one batch of an epoch', `none in epoch ${epoch}`, remedy);
}
