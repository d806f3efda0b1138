/** @file Selection towards validation rows against explicit gradients, and against GREATS. */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {type SelectionContext, type TowardsOptions, towards} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {interactOnDevice, interactOnHost} from '../../src/selectors/greedyPicks';
import oracle from '../fixtures/greats.json';
import {describeOnBackends} from '../support/backends';
import {errorsInJs, gradientsInJs, greedyInJs} from '../support/lastLayerGradients';
import {rowsOf} from '../support/lossOracles';
import {RUNS, randomFrom} from '../support/property';
import {keptRows, marks, selected} from '../support/selections';
import {leftBy, tidied} from '../support/tensors';

interface Case {
  name: string;
  params: {n: number; validation: number; d: number; classes: number; k: number; learning_rate: number};
  features: number[];
  logits: number[];
  labels: number[];
  validation_features: number[];
  validation_logits: number[];
  validation_labels: number[];
  scores_in: number[];
  interaction_in: number[];
  picks_in_order: number[];
}

const CASES = oracle.cases as unknown as Case[];
const PICKS = {host: interactOnHost, device: interactOnDevice};
const nothing = () => ({xs: tf.zeros([1, 1]), ys: tf.zeros([1, 1])});

interface Rows {
  features: number[][];
  logits: number[][];
  labels: number[];
}

const passOf = ({features, logits, labels}: Rows) => ({
  ...{features: tf.tensor2d(features), yPred: tf.tensor2d(logits), yTrue: tf.tensor1d(labels, 'int32')},
});

const contextOf = (rows: Rows, validation: Rows, valid?: number[]): SelectionContext => ({
  ...{...passOf(rows), validation: passOf(validation)},
  ...(valid && {valid: marks(valid)}),
});

const keptOf = (options: TowardsOptions, losses: number[], context: SelectionContext) =>
  keptRows(selected(towards(nothing(), {fromLogits: true, ...options}), losses, context));

const meanOf = (gradients: number[][]) =>
  (gradients[0] as number[]).map(
    (_, i) => gradients.reduce((sum, row) => sum + (row[i] as number), 0) / gradients.length,
  );

describe('The cases of GREATS', () => {
  it('are all there', () => {
    expect(CASES).toHaveLength(oracle.n_cases);
  });
});

describeOnBackends('towards', () => {
  const tried = (['host', 'device'] as const).flatMap((by) => CASES.map((one) => [by, one.name, one] as const));

  it.each(tried)('picks by the %s what the peer picks of its scores, in its order: %s', (by, _, one) => {
    const {n, k} = one.params;
    const picks = tidied(() => {
      const losses = tf.zeros<tf.Rank.R1>([n]);
      const batch = {losses, rows: tf.cast(tf.onesLike(losses), 'bool') as tf.Tensor1D, context: {}};
      const gram = tf.tensor2d(one.interaction_in, [n, n]);
      return [...PICKS[by](batch, {gram}, {scores: tf.tensor1d(one.scores_in), rate: 1}, k).dataSync()];
    });
    expect(picks).toEqual(one.picks_in_order);
  });

  it.each(CASES.map((one) => [one.name, one] as const))(
    'keeps the rows of the peer, from features and logits: %s',
    (_, one) => {
      const {d, classes, k, learning_rate: learningRate} = one.params;
      const rows = {features: rowsOf(one.features, d), logits: rowsOf(one.logits, classes), labels: one.labels};
      const validation = {
        ...{features: rowsOf(one.validation_features, d), logits: rowsOf(one.validation_logits, classes)},
        labels: one.validation_labels,
      };
      const kept = keptOf(
        {k, learningRate},
        one.labels.map((__, row) => row),
        contextOf(rows, validation),
      );
      expect([...kept].sort((a, b) => a - b)).toEqual([...one.picks_in_order].sort((a, b) => a - b));
    },
  );

  it('keeps what explicit gradients keep, on the host and on the device, with the bias and without', () => {
    const property = fc.property(
      fc.integer({min: 1, max: 20}),
      fc.integer({min: 1, max: 6}),
      fc.integer({min: 2, max: 4}),
      fc.constantFrom(0.01, 0.3, 2),
      fc.boolean(),
      fc.integer(),
      (count, width, classes, learningRate, bias, seed) => {
        const random = randomFrom(seed);
        const matrix = (rows: number, columns: number) =>
          Array.from({length: rows}, () => Array.from({length: columns}, () => Math.fround(4 * random() - 2)));
        const drawn = (rows: number): Rows => ({
          ...{features: matrix(rows, width), logits: matrix(rows, classes)},
          labels: Array.from({length: rows}, () => Math.floor(random() * classes)),
        });
        const [rows, validation] = [drawn(count), drawn(3)];
        const valid = rows.labels.map(() => (random() < 0.8 ? 1 : 0));
        const usable = valid.flatMap((mark, row) => (mark ? row : []));
        const k = Math.ceil(count / 2);
        const of = (given: Rows) => gradientsInJs(errorsInJs(given.logits, given.labels), given.features, bias);
        const picks = greedyInJs(of(rows), meanOf(of(validation)), learningRate, usable, k);
        if (picks.some(({lead}) => lead < 1e-4)) return;
        tf.tidy(() => {
          const kept = keptOf(
            {k, learningRate, bias},
            rows.labels.map(() => random()),
            contextOf(rows, validation, valid),
          );
          expect(new Set(kept)).toEqual(new Set(picks.map(({row}) => row)));
        });
      },
    );
    fc.assert(property, RUNS);
  });

  it('carries its validation rows and what it needs', () => {
    const validation = nothing();
    const select = towards(validation, {k: 1, learningRate: 0.1});
    expect(select.validation).toBe(validation);
    expect(select.needs).toEqual(['features']);
  });

  it('refuses wrong options when it is built', () => {
    const refused = (options: object, message: string) =>
      expect(() => towards(nothing(), options as TowardsOptions)).toThrow(message);
    refused(
      {k: 1, learningRate: 1e20},
      'towards: the square of learningRate must be from 1e-37 to 1e37, for float32, got 1e+40.',
    );
    refused({k: 1}, 'towards: learningRate must be a finite number > 0, got undefined.');
    refused({learningRate: 0.1}, 'towards: options must have either k or ratio');
    refused(
      {k: 1, learningRate: 0.1, rate: 1},
      'towards: options must have the names k, ratio, minK, learningRate, fromLogits, bias, got rate.',
    );
    expect(() => towards({xs: tf.ones([1])} as never, {k: 1, learningRate: 1})).toThrow(
      new TypeError('towards: validation must be a record {xs, ys}, got {xs}. Pass rows that are not trained on.'),
    );
    const given = (validation: object) => expect(() => towards(validation as never, {k: 1, learningRate: 1}));
    given({xs: [[1, 2]], ys: tf.ones([1])}).toThrow(
      /^towards: validation.xs must be a tensor, a list of tensors or a record of them, got .* Convert arrays to tensors/,
    );
    given({xs: tf.ones([1]), ys: {a: 3}}).toThrow(/^towards: validation.ys must be a tensor, a list/);
    given({xs: tf.ones([1]), ys: tf.ones([1]), batchSize: 3}).toThrow(
      'towards: validation must have the names xs, ys, got batchSize.',
    );
    given(tf.ones([1])).toThrow(/^towards: validation must be a record {xs, ys}/);
  });

  it('refuses to go without validation rows as the model sees them, and with others than the batch has', () => {
    const rows = {
      features: [
        [1, 2],
        [2, 1],
      ],
      logits: [
        [1, 2],
        [0, 1],
      ],
      labels: [0, 1],
    };
    const losses = tf.tensor1d([1, 2]);
    const select = towards(nothing(), {k: 1, learningRate: 1});
    const refused = (context: SelectionContext, message: string) =>
      expect(leftBy(() => void expect(() => select(losses, context)).toThrow(new TypeError(message)))).toBe(0);
    refused(
      passOf(rows),
      'towards: validation must be in the context, got undefined. ' +
        'The trainers fill it in. To wrap the selector, use mapSelector, which keeps what it needs.',
    );
    refused(
      contextOf(rows, {...rows, features: [[1], [2]]}),
      'towards: validation must have 2 features and 2 classes, as the batch, got 1 and 2.',
    );
    refused(
      {...passOf(rows), validation: {...passOf(rows), yTrue: tf.ones([3])}},
      'towards: validation: yTrue must have shape [2] of labels or [2, 2], one-hot, got [3].',
    );
  });
});
