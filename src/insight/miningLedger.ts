import type {Tensor1D} from '@tensorflow/tfjs-core';
import {checkCount, checkOptionNames, rangeError, typeError} from '../checks';
import type {DynamicsOptions, Ledger, RowDynamics} from '../types';
import {hardness, largestFirst} from './largestFirst';
import {checkBatch, type LedgerBatch, type ObservedStep, readStep} from './ledgerBatch';
import type {LedgerDynamics} from './ledgerDynamics';
import {emptyRows, type LedgerRows, type MiningLedgerJSON, rowsFromJSON} from './ledgerRows';
import {belowThreshold, type SuspectsByMarginOptions} from './marginThreshold';

const NAME = 'miningLedger';

/** What training has seen of each row of a data set, on the host. */
export interface MiningLedger extends Ledger {
  /** Rows of the data set. */
  readonly size: number;
  /**
   * Enters a batch: for each of its rows the row of the data set that it is, its loss, and a number over 0 if it was backpropagated. All of it is
   * checked before anything is entered. A ledger that keeps dynamics needs those of each row too.
   */
  record(
    rows: ArrayLike<number>,
    losses: ArrayLike<number>,
    kept: ArrayLike<number>,
    dynamics?: RowDynamics<ArrayLike<number>>,
  ): void;
  /** Enters the report of a step, by one read; `rows` as numbers or `int32[B]`. The report stays yours, and may be disposed while this goes on. */
  observe(rows: ArrayLike<number> | Tensor1D, report: ObservedStep): Promise<void>;
  /** How often a row was in a batch. */
  seen(row: number): number;
  /** In how many of these batches it was backpropagated. */
  mined(row: number): number;
  /** Its loss when it was seen last; NaN before that. */
  lastLoss(row: number): number;
  /** Mean of its finite losses; NaN if there is none. */
  meanLoss(row: number): number;
  /** At most `n` rows with the largest last loss, largest first; losses that were not finite come before all. */
  hardest(n: number): Int32Array;
  /** All rows that were seen and never backpropagated. */
  neverMined(): Int32Array;
  /** At most `n` rows that look like label errors: mined again and again, never learned. Most suspicious first. */
  suspects(n: number): Int32Array;
  /** What the dynamics are computed from; undefined if the ledger keeps none, and the next five methods throw. */
  readonly dynamics: Required<DynamicsOptions> | undefined;
  /** The area under the margin of each row: the mean of its margins, low for wrong labels. NaN for a row that was not seen. */
  aum(): Float32Array;
  /**
   * How often each row was predicted wrong right after it was predicted right, over the passes in which it was seen;
   * Infinity if it was never right, NaN if it was not seen.
   */
  forgetting(): Float32Array;
  /** The data map: of each row the mean and the spread of the probability of its label, and how often it was right. */
  cartography(): Cartography;
  /** The mean length of the error of each row, `‖p − onehot(y)‖₂`; NaN for a row that was not seen. */
  el2n(): Float32Array;
  /** All rows with an `aum` at or below that of threshold samples, lowest first, and none of these samples. */
  suspectsByMargin(options: SuspectsByMarginOptions): Int32Array;
  /** Plain JSON, for `miningLedger.fromJSON`; called by `JSON.stringify`. */
  toJSON(): MiningLedgerJSON;
}

/** Where each row lies on a data map; NaN for a row that was not seen. */
export interface Cartography {
  /** Mean of the probability of the label over the passes, low for hard rows. `float32[N]`. */
  confidence: Float32Array;
  /** Its standard deviation over the passes, of the population; high for ambiguous rows. `float32[N]`. */
  variability: Float32Array;
  /** In how many passes the label was predicted. `float32[N]`. */
  correctness: Float32Array;
}

export interface MiningLedgerOptions {
  /**
   * Whether to keep the dynamics of each row, which takes 32 bytes a row more; `{fromLogits: true}` for a model that
   * returns logits. Default false.
   */
  dynamics?: boolean | DynamicsOptions;
}

/** Builds ledgers. */
export interface MiningLedgerFactory {
  (size: number, options?: MiningLedgerOptions): MiningLedger;
  /** Builds the ledger that `toJSON` was called on, to the bit. */
  fromJSON(value: unknown): MiningLedger;
}

/**
 * Builds a ledger of a data set: how often each row was seen and mined, its last loss and its mean loss.
 *
 *     suspicion = mined / seen · (mean loss − smallest mean loss of all rows)
 *
 * Feed it with the reports of a step, and ask `suspects` after some passes over the data: rows that were always hard and never learned
 * are where labels are wrong. The mean goes over all passes on purpose: a network that is large enough learns wrong labels by heart in the end, so
 * that late losses, and `hardest`, no longer tell them from others. A selector that leaves out the very largest losses never mines what
 * is most suspicious: there ask `hardest`. Rows count with the losses that they were ranked by, so sample and class weights count too. Takes 20
 * bytes of main memory a row; ties go to the lower row.
 *
 * With `dynamics` it also keeps how each row was predicted, from the forward pass of the step, in training mode:
 *
 *     aum = mean(z_y − max_{j≠y} z_j),   confidence = mean(p_y),   variability = sd(p_y),   el2n = mean ‖p − onehot(y)‖₂
 *
 * Rows that are not valid, or whose loss is not finite, are not observed. A label of several classes counts as the
 * largest of them.
 *
 * @param size  rows of the data set, an integer ≥ 1.
 * @param options  `dynamics`, true or `{fromLogits}`.
 * @returns a {@link MiningLedger}; `miningLedger.fromJSON(value)` builds one from what `toJSON()` gave.
 * @throws RangeError if `size` is not an integer ≥ 1 (when it is built), if rows are out of range or `n` is not an integer ≥ 1 (when it is
 *   called); TypeError for lists that do not match, a disposed report, a report without the dynamics that the ledger keeps, or JSON of something
 *   else; RangeError for confidences that are no probabilities. Nothing has changed then.
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
 * @see Swayamdipta et al., Dataset Cartography, EMNLP 2020, §2 and §5 (arXiv:2009.10795): mean confidence over the passes, and label errors
 *   among the examples where it is lowest
 * @see Pleiss et al., Identifying Mislabeled Data using the Area Under the Margin Ranking, NeurIPS 2020, §3 (arXiv:2001.10528)
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
  if (given === undefined || given === false) return undefined;
  if (given === true) return {fromLogits: false};
  if (typeof given !== 'object') throw typeError(NAME, 'dynamics', 'be true, false or {fromLogits}', given);
  checkOptionNames(NAME, given, ['fromLogits']);
  const {fromLogits = false} = given;
  if (typeof fromLogits !== 'boolean') throw typeError(NAME, 'dynamics.fromLogits', 'be true or false', fromLogits);
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

/** Checks a batch, and enters it. */
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

/** What a ledger says of how its rows were predicted. */
function dynamicsIn({
  size,
  dynamics,
  dynamicsOptions,
}: LedgerRows): Pick<MiningLedger, 'dynamics' | 'aum' | 'forgetting' | 'cartography' | 'el2n' | 'suspectsByMargin'> {
  const kept = (name: string): LedgerDynamics => {
    if (dynamics) return dynamics;
    const remedy = `Build it with them: ${NAME}(rows, {dynamics: true}).`;
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
