/**
 * @file Dynamics against the code of AUM, Data Diet and Dataset Cartography, through the report of
 *   a step.
 */
import {gather, mul, ones, softmax, type Tensor, tensor1d, tensor2d, train, variable} from '@tensorflow/tfjs-core';
import {type MiningLedger, miningLedger, ohemStep, sparseCategoricalCrossentropy, subset} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/dynamics.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';

interface Watched {
  name: string;
  params: {n: number; classes: number; epochs: number; burn_out: number | null};
  labels: number[];
  logits_per_epoch: number[][];
  seen_per_epoch: number[][];
  aum: number[];
  forget_scores_data_diet: (number | string)[];
  el2n_per_epoch: number[][];
  cartography_confidence?: number[];
  cartography_variability?: number[];
  cartography_correctness?: number[];
}

interface Picked {
  name: string;
  params: {n: number; size: number; offset: number};
  scores: number[];
  keep_min_scores: number[];
  keep_max_scores: number[];
  keep_min_abs_scores: number[];
  keep_max_abs_scores: number[];
  offset_window: number[];
}

const CASES = oracle.cases as unknown as (Watched | Picked)[];
const WATCHED = CASES.filter((each) => 'labels' in each);
const PICKED = CASES.filter((each) => 'scores' in each);
const TOLERANCE = {absolute: 3e-6, relative: 3e-5};

/**
 * Lets a ledger watch a model that returns what it is given, as logits or as probabilities, and
 * learns nothing.
 */
async function watched(
  {labels, logits_per_epoch: logits, seen_per_epoch: seen, params}: Watched,
  fromLogits: boolean,
  epochs = params.epochs,
): Promise<MiningLedger> {
  const {n, classes} = params;
  const [weight, optimizer] = [variable(ones([1])), train.sgd(0)];
  const predict = (xs: Tensor) => {
    const scores = mul(xs, weight);
    return fromLogits ? scores : softmax(scores);
  };
  const loss = sparseCategoricalCrossentropy({fromLogits});
  const step = ohemStep({predict, variables: [weight]}, {loss, optimizer, dynamics: {fromLogits}});
  const ledger = miningLedger(n, {dynamics: {fromLogits}});
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rows = [...labels.keys()].filter((row) => seen[epoch]?.[row] === 1);
    const index = tensor1d(rows, 'int32');
    const xs = gather(tensor2d(logits[epoch] as number[], [n, classes]), index);
    const report = step(xs, gather(tensor1d(labels, 'int32'), index));
    await ledger.observe(rows, report);
    report.dispose();
  }
  step.dispose();
  optimizer.dispose();
  weight.dispose();
  return ledger;
}

/** The mean of each row over the epochs in which it was seen. */
function meanSeen(perEpoch: number[][], seen: number[][]): number[] {
  const rows = [...(seen[0] as number[]).keys()];
  return rows.map((row) => {
    const values = perEpoch.flatMap((ofRows, epoch) => (seen[epoch]?.[row] === 1 ? [ofRows[row] as number] : []));
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}

describeOnBackends('Dynamics of the real code', () => {
  for (const fromLogits of [true, false]) {
    it.each(WATCHED)(`are those of $name, from ${fromLogits ? 'logits' : 'probabilities'}`, async (of) => {
      const ledger = await watched(of, fromLogits);
      expectClose(ledger.aum(), of.aum, TOLERANCE);
      expect([...ledger.forgetting()]).toEqual(of.forget_scores_data_diet.map(Number));
      expectClose(ledger.el2n(), meanSeen(of.el2n_per_epoch, of.seen_per_epoch), TOLERANCE);
      const {confidence, variability, correctness} = (
        of.params.burn_out === null ? ledger : await watched(of, fromLogits, of.params.burn_out)
      ).cartography();
      if (!of.cartography_confidence) return;
      expectClose(confidence, of.cartography_confidence, TOLERANCE);
      // The root of a sum of squares that is 0, but for rounding.
      expectClose(variability, of.cartography_variability as number[], {absolute: 1e-5, relative: 3e-4});
      expect([...correctness]).toEqual(of.cartography_correctness);
    });
  }
});

describe('subset', () => {
  const minus = (scores: number[]) => scores.map((score) => -score);
  it.each(PICKED)('picks the rows of data_diet: $name', ({params: {n, size, offset}, scores, ...picked}) => {
    const keep = size / n;
    expect([...subset(scores, {keep})]).toEqual(picked.keep_max_scores);
    expect([...subset(minus(scores), {keep})]).toEqual(picked.keep_min_scores);
    const sizes = scores.map(Math.abs);
    expect([...subset(sizes, {keep})]).toEqual(picked.keep_max_abs_scores);
    expect([...subset(minus(sizes), {keep})]).toEqual(picked.keep_min_abs_scores);
    // The peer counts from the smallest score, and has a short window past the end: there we
    // refuse.
    const window = () => [...subset(minus(scores), {keep, offset})];
    if (picked.offset_window.length === size) expect(window()).toEqual([...picked.offset_window].sort((a, b) => a - b));
    else expect(window).toThrow('subset: scores must give 15 rows to leave out and to keep, got 10 of 10 rows.');
  });
});
