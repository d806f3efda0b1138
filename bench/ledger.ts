import {dispose, randomNormal, softmax, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {
  halfSquaredError,
  type MiningLedger,
  type MiningLedgerOptions,
  miningLedger,
  ohemStep,
  type StepReport,
  topK,
} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {rowDynamics} from '../src/trainers/step/dynamics';
import type {Contestant} from './interleaved';
import {type Batch, randomBatch, SUBJECTS} from './models';

export const LEDGER_ROWS = 1e6;
const [BATCH_SIZE, KEPT] = [512, 384];

/**
 * Any row of the data set may be next: a large step that has no factor in common with their number
 * meets all of them.
 */
const STRIDE = 618_033;

/**
 * What a ledger of a million rows costs: a step of the reference model, alone and with its report
 * observed; the ledger alone; and occasional queries.
 */
export function ledgerContestants(): Contestant[] {
  const subject = SUBJECTS[0] as (typeof SUBJECTS)[number];
  const model = subject.build();
  const batch = randomBatch(BATCH_SIZE, subject.shape);
  const takeStep = steps(model, batch);
  const watchedStep = steps(model, batch, true);
  const [ledger, watching] = [filledLedger(), filledLedger({dynamics: true})];
  const predicted = {ys: [batch.ys], predictions: [softmax(randomNormal(batch.ys.shape))], valid: undefined};
  const rows = new Int32Array(BATCH_SIZE);
  let next = 0;
  const nextRows = () => {
    for (let place = 0; place < BATCH_SIZE; place++) rows[place] = next = (next + STRIDE) % LEDGER_ROWS;
  };
  let report: StepReport | undefined;
  return [
    {name: 'step', prepare: () => void enableWasmTraining(), run: () => takeStep().dispose()},
    {
      name: 'observe',
      prepare() {
        nextRows();
        report?.dispose();
        report = takeStep();
      },
      run: () => ledger.observe(rows, report as StepReport),
    },
    {
      name: 'dynamics',
      run: () => dispose(tidy(() => rowDynamics('bench', {fromLogits: false}, predicted))),
    },
    {
      name: 'observe with dynamics',
      prepare() {
        nextRows();
        report?.dispose();
        report = watchedStep();
      },
      run: () => watching.observe(rows, report as StepReport),
    },
    {name: 'aum()', run: () => watching.aum()},
    {name: 'suspects(200)', run: () => ledger.suspects(200)},
    {name: 'hardest(200)', run: () => ledger.hardest(200)},
    {name: 'toJSON and fromJSON', isSlow: true, run: () => miningLedger.fromJSON(ledger.toJSON())},
  ];
}

function steps(model: LayersModel, {xs, ys}: Batch, dynamics = false): () => StepReport {
  const step = ohemStep(model, {loss: halfSquaredError(), select: topK({k: KEPT}), backward: 'pruned', dynamics});
  return () => step(xs, ys);
}

/**
 * A ledger that has seen every row, batch by batch, as in a long run: compiled
 * code, and much to rank.
 */
function filledLedger(options: MiningLedgerOptions = {}): MiningLedger {
  const ledger = miningLedger(LEDGER_ROWS, options);
  const places = Int32Array.from({length: BATCH_SIZE}, (_, place) => place);
  const kept = places.map((place) => (place < KEPT ? 1 : 0));
  for (let start = 0; start + BATCH_SIZE <= LEDGER_ROWS; start += BATCH_SIZE) {
    const rows = places.map((place) => start + place);
    const values = Float32Array.from(rows, (row) => Math.abs(Math.sin(row)));
    const dynamics = {margins: values, confidences: values, correct: kept, errors: values};
    ledger.record(rows, values, kept, dynamics);
  }
  return ledger;
}
