/** @file Diversified batch selection against explicit gradients, and against Feng-Hong/DivBS. */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {diversified, type SelectionContext} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {pursueOnDevice, pursueOnHost} from '../../src/selectors/greedyPicks';
import {gramOf, lastLayerOf, squaresOf} from '../../src/selectors/lastLayer';
import oracle from '../fixtures/divbs.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {dot, errorsInJs, gradientsInJs, pursuedInJs, softmaxInJs} from '../support/lastLayerGradients';
import {rowsOf} from '../support/lossOracles';
import {RUNS, randomFrom} from '../support/property';
import {keptRows, marks, selected} from '../support/selections';
import {leftBy, tidied} from '../support/tensors';

interface Case {
  name: string;
  params: {n: number; d: number; classes: number; k: number};
  features: number[];
  logits: number[];
  labels: number[];
  grad_of_row_0: number[];
  picks_argmax_in_order: number[];
  correlations_per_pick_argmax: number[][];
}

const CASES = oracle.cases as unknown as Case[];
/** There the peer picks by rounding, from the pick on after which nothing is left. */
const FIRST_PICKS: Record<string, number> = {duplicate_row_pair: 3, more_picks_than_rank: 2};

const PICKS = {host: pursueOnHost, device: pursueOnDevice};

interface Rows {
  features: number[][];
  logits: number[][];
  labels: number[];
  losses?: number[];
  valid?: number[];
}

const lossesOf = ({logits, labels, losses}: Rows) =>
  losses ?? logits.map((row, i) => -Math.log(softmaxInJs(row)[labels[i] as number] as number));

const contextOf = ({features, logits, labels, valid}: Rows): SelectionContext => ({
  ...{features: tf.tensor2d(features), yPred: tf.tensor2d(logits), yTrue: tf.tensor1d(labels, 'int32')},
  ...(valid && {valid: marks(valid)}),
});

/** The rows in the order in which they are picked. */
function picksOf(by: keyof typeof PICKS, given: Rows, count: number, bias = false): number[] {
  return tidied(() => {
    const losses = tf.tensor1d(lossesOf(given));
    const context = contextOf(given);
    const usable = given.valid ?? given.labels.map(() => 1);
    const rows = tf.logicalAnd(tf.isFinite(losses), tf.cast(tf.tensor1d(usable), 'bool')) as tf.Tensor1D;
    const batch = {losses, rows, context};
    const layer = lastLayerOf('diversified', batch, true);
    const worth = {gram: gramOf(layer, layer, bias), squares: squaresOf(layer, bias)};
    return [...PICKS[by](batch, worth, count).dataSync()];
  });
}

const rowsOfCase = ({features, logits, labels, params: {d, classes}}: Case): Rows => ({
  ...{features: rowsOf(features, d), logits: rowsOf(logits, classes), labels},
});

/** A batch of normal features and logits. */
function randomRows(rows: number, width: number, classes: number, seed: number): Rows {
  const random = randomFrom(seed);
  const normal = () => Math.fround(Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
  const matrix = (columns: number) => Array.from({length: rows}, () => Array.from({length: columns}, normal));
  return {
    ...{features: matrix(width), logits: matrix(classes).map((row) => row.map((x) => 2 * x))},
    labels: Array.from({length: rows}, () => Math.floor(random() * classes)),
  };
}

/**
 * How many of the picks are the same in float32: until two rows are nearly as good, or rounding is
 * left.
 */
function clearPicks(picks: readonly {lead: number; left: number}[]): number {
  const first = picks[0]?.left ?? 0;
  const unclear = picks.findIndex(({lead, left}) => lead < 1e-5 || left < 1e-4 * first);
  return unclear < 0 ? picks.length : unclear;
}

describe('The cases of DivBS', () => {
  it('are all there', () => {
    expect(CASES).toHaveLength(oracle.n_cases);
    expect(CASES.filter(({name}) => name in FIRST_PICKS)).toHaveLength(2);
  });
});

describeOnBackends('diversified', () => {
  const tried = (['host', 'device'] as const).flatMap((by) => CASES.map((one) => [by, one.name, one] as const));

  it.each(tried)('picks by the %s what the peer picks, in its order: %s', (by, name, one) => {
    const {k} = one.params;
    const picks = picksOf(by, rowsOfCase(one), k);
    const compared = FIRST_PICKS[name] ?? k;
    expect(picks.slice(0, compared)).toEqual(one.picks_argmax_in_order.slice(0, compared));
    expect(new Set(picks).size).toBe(k);
  });

  it.each(CASES.map((one) => [one.name, one] as const))(
    'has the inner products of the gradients of the peer: %s',
    (_, one) => {
      const given = rowsOfCase(one);
      const {n} = one.params;
      const gradients = gradientsInJs(errorsInJs(given.logits, given.labels), given.features, false);
      // The peer's gradients are those of the mean over the batch.
      expectClose(
        (gradients[0] as number[]).map((value) => value / n),
        one.grad_of_row_0,
        {absolute: 3e-6, relative: 3e-4},
      );
      const products = tidied(() => {
        const losses = tf.tensor1d(lossesOf(given));
        const rows = tf.cast(tf.onesLike(losses), 'bool');
        const layer = lastLayerOf('diversified', {losses, rows, context: contextOf(given)}, true);
        return [...gramOf(layer, layer, false).dataSync()];
      });
      const expected = gradients.flatMap((a) => gradients.map((b) => dot(a, b)));
      expectClose(products, expected, {absolute: 1e-5, relative: 1e-5});
    },
  );

  it('never picks a row twice: once the gradient of the batch is spanned, the largest losses follow', () => {
    const one = CASES.find(({name}) => name === 'more_picks_than_rank') as Case;
    const given = rowsOfCase(one);
    expect(new Set(one.picks_argmax_in_order).size).toBe(2);
    const byLoss = lossesOf(given)
      .map((loss, row) => ({loss, row}))
      .sort((a, b) => b.loss - a.loss)
      .map(({row}) => row);
    for (const by of ['host', 'device'] as const) {
      const picks = picksOf(by, given, 6);
      const rest = byLoss.filter((row) => !picks.slice(0, 2).includes(row));
      expect(picks.slice(2)).toEqual(rest.slice(0, 4));
    }
  });

  it('picks what explicit gradients pick, on the host and on the device, with the bias and without', () => {
    const property = fc.property(
      fc.integer({min: 2, max: 24}),
      fc.integer({min: 1, max: 12}),
      fc.integer({min: 2, max: 5}),
      fc.boolean(),
      fc.integer(),
      (rows, width, classes, bias, seed) => {
        const random = randomFrom(seed + 1);
        const given = {
          ...randomRows(rows, width, classes, seed),
          valid: Array.from({length: rows}, () => (random() < 0.8 ? 1 : 0)),
        };
        const usable = given.valid.flatMap((mark, row) => (mark ? row : []));
        if (usable.length === 0) return;
        const count = Math.ceil(rows / 2);
        const gradients = gradientsInJs(errorsInJs(given.logits, given.labels), given.features, bias);
        const expected = pursuedInJs(gradients, usable, count);
        const clear = clearPicks(expected);
        const rowsInOrder = expected.slice(0, clear).map(({row}) => row);
        for (const by of ['host', 'device'] as const) {
          expect(picksOf(by, given, count, bias).slice(0, clear)).toEqual(rowsInOrder);
        }
        if (clear < expected.length) return;
        const kept = tf.tidy(() => {
          const select = diversified({k: count, fromLogits: true, bias});
          return keptRows(selected(select, lossesOf(given), contextOf(given)));
        });
        expect([...kept].sort((a, b) => a - b)).toEqual([...rowsInOrder].sort((a, b) => a - b));
      },
    );
    fc.assert(property, {...RUNS, numRuns: 60});
  });

  it('keeps a share of the valid rows, hardest first, and those alone that may be kept', () => {
    const given = {...randomRows(12, 4, 3, 5), valid: [1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0]};
    const losses = lossesOf(given).map((loss, row) => (row === 4 ? Number.NaN : loss));
    const {indices, weights} = tf.tidy(() =>
      selected(diversified({ratio: 0.5, fromLogits: true}), losses, contextOf(given)),
    );
    const kept = keptRows({indices, weights});
    expect(indices).toHaveLength(6);
    expect(kept).toHaveLength(4);
    expect(kept.every((row) => given.valid[row] === 1 && row !== 4)).toBe(true);
    const keptLosses = kept.map((row) => losses[row] as number);
    expect(keptLosses).toEqual([...keptLosses].sort((a, b) => b - a));
  });

  it('keeps one of two rows with the same gradient, where topK keeps both', () => {
    const given = {
      features: [
        [1, 0],
        [1, 0],
        [0, 1],
      ],
      logits: [
        [-2, 2],
        [-2, 2],
        [0.2, -0.2],
      ],
      labels: [0, 0, 1],
    };
    const kept = tf.tidy(() =>
      keptRows(selected(diversified({k: 2, fromLogits: true}), lossesOf(given), contextOf(given))),
    );
    expect(kept).toEqual([0, 2]);
  });

  it('takes a label of one unit, from probabilities and from logits', () => {
    const logits = [1, -2, 0.5, 3];
    const yTrue = tf.tensor1d([0, 1, 1, 0]);
    const features = tf.tensor2d([
      [1, 2],
      [-1, 0.5],
      [0.25, 1],
      [1, -1],
    ]);
    const losses = [1.3, 2.1, 0.5, 3];
    const column = (values: number[]) => tf.tensor2d(values, [4, 1]);
    const fromLogits = selected(diversified({k: 2, fromLogits: true}), losses, {
      features,
      yTrue,
      yPred: column(logits),
    });
    const shares = logits.map((x) => 1 / (1 + Math.exp(-x)));
    expect(selected(diversified({k: 2}), losses, {features, yTrue, yPred: column(shares)})).toEqual(fromLogits);
    const gradients = gradientsInJs(
      shares.map((p, row) => [p - ([0, 1, 1, 0][row] as number)]),
      [
        [1, 2],
        [-1, 0.5],
        [0.25, 1],
        [1, -1],
      ],
      false,
    );
    const expected = pursuedInJs(gradients, [0, 1, 2, 3], 2).map(({row}) => row);
    expect(new Set(keptRows(fromLogits))).toEqual(new Set(expected));
  });

  it('says what it needs, and refuses to go without it', () => {
    expect(diversified({k: 1}).needs).toEqual(['features']);
    const context = contextOf(randomRows(3, 2, 2, 1));
    const losses = tf.tensor1d([1, 2, 3]);
    const refused = (changed: SelectionContext, message: string) => {
      const call = () => diversified({k: 1})(losses, {...context, ...changed});
      expect(leftBy(() => void expect(call).toThrow(new TypeError(message)))).toBe(0);
    };
    refused(
      {features: undefined as never},
      'diversified: features must be in the context, got undefined. ' +
        'The trainers fill it in for a LayersModel with one output that ends in a dense layer, if the selector needs ' +
        'it. Wrap selectors by mapSelector, which keeps what they need.',
    );
    refused(
      {features: tf.ones([2, 2])},
      'diversified: features must have shape [3, D], the input of the last dense layer, got [2, 2].',
    );
    refused(
      {features: tf.ones([3])},
      'diversified: features must have shape [3, D], the input of the last dense layer, got [3].',
    );
  });
});
