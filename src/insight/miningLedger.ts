import type {Tensor1D} from '@tensorflow/tfjs-core';
import {checkBoolean, checkCount, checkOptionNames, givenOptions, rangeError, typeError} from '../checks';
import type {DynamicsOptions, Ledger, RowDynamics} from '../types';
import {hardness, largestFirst} from './largestFirst';
import {checkBatch, type LedgerBatch, type ObservedStep, readStep} from './ledgerBatch';
import type {LedgerDynamics} from './ledgerDynamics';
import {emptyRows, type LedgerRows, type MiningLedgerJSON, rowsFromJSON} from './ledgerRows';
import {belowThreshold, type SuspectsByMarginOptions} from './marginThreshold';

const NAME = 'miningLedger';

/** The training history of each row of a data set, kept on the host. */
export interface MiningLedger extends Ledger {
  /** Number of rows of the data set. */
  readonly size: number;
  /**
   * Records one batch: for each row its index in the data set, its loss, and a positive number if
   * it was backpropagated. Checks everything before it records anything. A ledger that keeps
   * dynamics also needs those of each row.
   */
  record(
    rows: ArrayLike<number>,
    losses: ArrayLike<number>,
    kept: ArrayLike<number>,
    dynamics?: RowDynamics<ArrayLike<number>>,
  ): void;
  /**
   * Records the report of a step in one read; `rows` as numbers or `int32[B]`. The caller keeps the
   * report and may dispose it before the promise resolves.
   */
  observe(rows: ArrayLike<number> | Tensor1D, report: ObservedStep): Promise<void>;
  /** Counts the batches that contained a row. */
  seen(row: number): number;
  /** Counts the batches in which a row was backpropagated. */
  mined(row: number): number;
  /** Returns the latest loss of a row; NaN before the row is seen. */
  lastLoss(row: number): number;
  /** Returns the mean of the finite losses of a row; NaN if there is none. */
  meanLoss(row: number): number;
  /** Lists at most `n` rows by last loss, largest first; non-finite losses precede all others. */
  hardest(n: number): Int32Array;
  /** Lists all rows that were seen but never backpropagated. */
  neverMined(): Int32Array;
  /** Lists at most `n` likely label errors: often mined, never learned. Most suspicious first. */
  suspects(n: number): Int32Array;
  /**
   * Options of the dynamics; undefined if the ledger keeps none, and the next five methods throw.
   */
  readonly dynamics: Required<DynamicsOptions> | undefined;
  /**
   * Computes the area under the margin: the mean margin of each row, low for wrong labels. NaN for
   * unseen rows.
   */
  aum(): Float32Array;
  /**
   * Counts how often each row was predicted wrong directly after a right prediction. Infinity if
   * the row was never predicted right, NaN for unseen rows.
   */
  forgetting(): Float32Array;
  /** Computes the data map: confidence, variability and correctness of each row. */
  cartography(): Cartography;
  /** Computes the mean error norm of each row, `‖p − onehot(y)‖₂`; NaN for unseen rows. */
  el2n(): Float32Array;
  /** Lists rows with an `aum` up to that of the threshold samples, lowest first, without these. */
  suspectsByMargin(options: SuspectsByMarginOptions): Int32Array;
  /** Returns plain JSON for `miningLedger.fromJSON`; `JSON.stringify` calls it. */
  toJSON(): MiningLedgerJSON;
}

/** Position of each row on a data map; NaN for unseen rows. */
export interface Cartography {
  /** Mean probability of the label over the passes, low for hard rows. `float32[N]`. */
  confidence: Float32Array;
  /** Population standard deviation of that probability, high for ambiguous rows. `float32[N]`. */
  variability: Float32Array;
  /** Number of passes that predicted the label. `float32[N]`. */
  correctness: Float32Array;
}

export interface MiningLedgerOptions {
  /**
   * Whether to keep the dynamics of each row, for another 32 bytes per row; `{fromLogits: true}` if
   * the model returns logits. Default false.
   */
  dynamics?: boolean | DynamicsOptions;
}

/** Builds ledgers. */
export interface MiningLedgerFactory {
  (size: number, options?: MiningLedgerOptions): MiningLedger;
  /** Restores a ledger from the result of `toJSON`, to the bit. */
  fromJSON(value: unknown): MiningLedger;
}

/**
 * Builds a ledger of a data set: how often each row was seen and mined, and its last and mean loss.
 *
 *     suspicion = mined / seen · (mean loss − smallest mean loss of all rows)
 *
 * Feed it with the reports of a step, and call `suspects` after several passes over the data. Rows
 * that were always hard and never learned are likely label errors. The mean covers all passes on
 * purpose: a large network finally memorises wrong labels, so late losses, and `hardest`, no longer
 * separate them.
 *
 * A selector that skips the very largest losses never mines the most suspicious rows: call
 * `hardest` there. Losses are those that rows were ranked by, sample and class weights included. A
 * ledger takes 20 bytes of main memory per row; ties keep the lower row.
 *
 * With `dynamics` it also records how each row was predicted in the forward pass of the step, in
 * training mode:
 *
 *     aum = mean(z_y − max_{j≠y} z_j),   confidence = mean(p_y),   variability = sd(p_y),
 *     el2n = mean ‖p − onehot(y)‖₂
 *
 * Dynamics skip rows that are not valid or have a loss that is not finite. If a label has several
 * classes, the largest counts.
 *
 * @param size  number of rows of the data set, an integer ≥ 1.
 * @param options  `dynamics`, true or `{fromLogits}`.
 * @returns a {@link MiningLedger}; `miningLedger.fromJSON(value)` builds one from a result of
 *   `toJSON()`.
 * @throws RangeError if `size` is not an integer ≥ 1 (when it is built), if rows are out of range
 *   or `n` is not an integer ≥ 1 (when it is called); TypeError for lists of different lengths, a
 *   disposed report, a report without the dynamics that the ledger keeps, or other JSON; RangeError
 *   for confidences that are not probabilities. A call that throws changes nothing.
 *
 * @example
 * const ledger = miningLedger(4);
 * ledger.record([0, 1, 2], [0.1, 2.5, 0.7], [0, 1, 1]);
 * ledger.record([1, 2, 3], [2.4, 0.2, 0.1], [1, 0, 0]);
 * ledger.suspects(2);      // Int32Array [1, 2]
 * ledger.neverMined();     // Int32Array [0, 3]
 * ledger.meanLoss(1);      // 2.45
 *
 * @example
 * const ledger = miningLedger(1, {dynamics: true});
 * for (const p of [0.2, 0.6, 0.4, 0.9, 0.95]) {
 *   const margin = Math.log(p / (1 - p));
 *   const dynamics = {margins: [margin], confidences: [p], correct: [p > 0.5 ? 1 : 0], errors: [Math.SQRT2 * (1 - p)]};
 *   ledger.record([0], [-Math.log(p)], [1], dynamics);
 * }
 * ledger.cartography().confidence;    // Float32Array [0.61]
 * ledger.cartography().variability;   // Float32Array [0.287054]
 * ledger.forgetting();                // Float32Array [1]
 *
 * @see Swayamdipta et al., Dataset Cartography, EMNLP 2020, §2 and §5 (arXiv:2009.10795): mean
 *   confidence over the passes, and label errors among the examples with the lowest one
 * @see Pleiss et al., Identifying Mislabeled Data using the Area Under the Margin Ranking, NeurIPS
 *   2020, §3 (arXiv:2001.10528)
 * @see Toneva et al., An Empirical Study of Example Forgetting, ICLR 2019, §3 (arXiv:1812.05159)
 * @see Paul et al., Deep Learning on a Data Diet, NeurIPS 2021, §2 (arXiv:2107.07075)
 */
export const miningLedger: MiningLedgerFactory = /* @__PURE__ */ Object.assign(
  function miningLedger(size: number, options: MiningLedgerOptions = {}): MiningLedger {
    checkCount(NAME, 'size', size);
    checkOptionNames(NAME, options, ['dynamics']);
    return ledgerOf(emptyRows(size, dynamicsOf(options.dynamics)));
  },
  {fromJSON: (value: unknown) => ledgerOf(rowsFromJSON(`${NAME}.fromJSON`, value))},
);

function dynamicsOf(given: boolean | DynamicsOptions | undefined): Required<DynamicsOptions> | undefined {
  if ((given ?? false) === false) return undefined;
  if (given === true) return {fromLogits: false};
  if (typeof given !== 'object') throw typeError(NAME, 'dynamics', 'be true, false or {fromLogits}', given);
  const {fromLogits = false} = givenOptions<DynamicsOptions>(NAME, given as DynamicsOptions, ['fromLogits']);
  checkBoolean(NAME, 'dynamics.fromLogits', fromLogits);
  return {fromLogits};
}

function ledgerOf(ledgerRows: LedgerRows): MiningLedger {
  const {size, seen, mined, lastLoss, meanLoss, toJSON} = ledgerRows;
  const checked = (name: string, row: number) => {
    if (!(Number.isInteger(row) && row >= 0 && row < size)) {
      throw rangeError(`${NAME}.${name}`, 'row', `be an integer from 0 to ${size - 1}`, row);
    }
    return row;
  };
  const largest = (name: string, n: number, keyOf: (row: number) => number) => {
    checkCount(`${NAME}.${name}`, 'n', n);
    return largestFirst(size, n, keyOf);
  };

  return {
    size,
    record: (rows, losses, kept, dynamics) => enterBatch(`${NAME}.record`, ledgerRows, {rows, losses, kept, dynamics}),
    async observe(rows, report) {
      const where = `${NAME}.observe`;
      enterBatch(where, ledgerRows, await readStep(where, size, rows, report, ledgerRows.dynamicsOptions));
    },
    seen: (row) => seen(checked('seen', row)),
    mined: (row) => mined(checked('mined', row)),
    lastLoss: (row) => lastLoss(checked('lastLoss', row)),
    meanLoss: (row) => meanLoss(checked('meanLoss', row)),
    hardest: (n) => largest('hardest', n, (row) => (seen(row) > 0 ? hardness(lastLoss(row)) : Number.NaN)),
    neverMined() {
      const rows: number[] = [];
      for (let row = 0; row < size; row++) if (seen(row) > 0 && mined(row) === 0) rows.push(row);
      return Int32Array.from(rows);
    },
    suspects(n) {
      let lowest = Number.POSITIVE_INFINITY;
      for (let row = 0; row < size; row++) if (meanLoss(row) < lowest) lowest = meanLoss(row);
      return largest('suspects', n, (row) =>
        mined(row) > 0 ? (mined(row) / seen(row)) * (meanLoss(row) - lowest) : Number.NaN,
      );
    },
    ...dynamicsIn(ledgerRows),
    toJSON,
  };
}

/** Checks and records a batch. */
function enterBatch(where: string, {size, enter, dynamics: kept}: LedgerRows, batch: LedgerBatch): void {
  checkBatch(where, size, batch, kept !== undefined);
  const {rows, losses, kept: isKept, dynamics} = batch;
  for (let place = 0; place < rows.length; place++) {
    const [row, loss] = [rows[place] as number, losses[place] as number];
    enter(row, loss, (isKept[place] as number) > 0);
    if (!kept || !dynamics) continue;
    const [margin, confidence] = [dynamics.margins[place] as number, dynamics.confidences[place] as number];
    const error = dynamics.errors[place] as number;
    if (!Number.isFinite(loss + margin + confidence + error)) continue;
    kept.enter(row, {margin, confidence, error, isCorrect: (dynamics.correct[place] as number) > 0});
  }
}

/** Builds the methods of a ledger that read dynamics. */
function dynamicsIn({
  size,
  dynamics,
  dynamicsOptions,
}: LedgerRows): Pick<MiningLedger, 'dynamics' | 'aum' | 'forgetting' | 'cartography' | 'el2n' | 'suspectsByMargin'> {
  const kept = (name: string): LedgerDynamics => {
    if (dynamics) return dynamics;
    const remedy = `Build it with ${NAME}(rows, {dynamics: true}).`;
    throw typeError(`${NAME}.${name}`, 'the ledger', 'keep dynamics', 'one without', remedy);
  };
  const ofAll = (of: (row: number) => number) => Float32Array.from({length: size}, (_, row) => of(row));
  return {
    dynamics: dynamicsOptions,
    aum: () => ofAll(kept('aum').aum),
    forgetting: () => ofAll(kept('forgetting').forgotten),
    cartography() {
      const {confidence, variability, correctness} = kept('cartography');
      return {confidence: ofAll(confidence), variability: ofAll(variability), correctness: ofAll(correctness)};
    },
    el2n: () => ofAll(kept('el2n').el2n),
    suspectsByMargin: (options) => belowThreshold(size, kept('suspectsByMargin').aum, options),
  };
}
