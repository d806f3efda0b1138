/** @file The losses against PyTorch Metric Learning: 164 cases. */
import * as tf from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from 'ohem-tfjs';
import {
  contrastiveLoss,
  type DistanceOptions,
  type Miner,
  marginLoss,
  multiSimilarityLoss,
  ntXent,
  type PerAnchor,
  supervisedContrastive,
  tripletLoss,
} from 'ohem-tfjs/pairs';
import {describe, expect, it} from 'vitest';
import special from '../fixtures/pml_loss_special.json';
import pairLosses from '../fixtures/pml_pair_losses.json';
import tripletLosses from '../fixtures/pml_triplet_losses.json';
import {describeOnBackends} from '../support/backends';
import {expectClose, expectSameDirection} from '../support/close';
import {
  DISTANCES,
  embeddingsOf,
  givenPairs,
  givenTriplets,
  labelsOf,
  numbersOf,
  type OracleBatch,
  plainDistances,
  referenceOf,
  rowsOfBatch,
  type Triplet,
  zipped,
} from '../support/pairOracles';

type Value = number | string;

interface Part {
  per_anchor?: Value[];
  per_anchor_sum?: Value[];
  per_anchor_count?: number[];
  per_anchor_nonzero?: number[];
  n?: number;
  divisor?: number;
  zero_loss?: number;
}

interface Case {
  name: string;
  batch: number;
  loss: string;
  distance: string;
  params: Params;
  indices?: Record<string, number[]>;
  parts: Record<string, Part>;
  mean?: Value;
  grad_mean?: Value[];
  avg_nonzero?: Value;
  grad_avg_nonzero?: Value[];
  divisor?: Value;
  grad_divisor?: Value[];
  tie?: number;
  float64_differs?: number;
  note?: string;
}

interface Params {
  margin: number;
  smooth_loss?: boolean;
  swap?: boolean;
  beta: number;
  alpha: number;
  base: number;
  pos_margin: number;
  neg_margin: number;
  temperature: number;
}

interface Given extends DistanceOptions {
  mine?: Miner;
  perAnchor?: PerAnchor;
}

const BUILDERS: Record<string, (params: Params, given: Given) => PerSampleLoss> = {
  TripletMarginLoss: ({margin, smooth_loss: soft = false, swap = false}, given) =>
    tripletLoss({...given, margin, soft: Boolean(soft), swap: Boolean(swap)}),
  MarginLoss: ({margin, beta}, given) => marginLoss({...given, margin, beta}),
  ContrastiveLoss: ({pos_margin, neg_margin}, given) =>
    contrastiveLoss({...given, positiveMargin: pos_margin, negativeMargin: neg_margin}),
  MultiSimilarityLoss: ({alpha, beta, base}, {perAnchor: _, ...given}) =>
    multiSimilarityLoss({...given, alpha, beta, base}),
  NTXentLoss: ({temperature}, {perAnchor: _, ...given}) => ntXent({...given, temperature}),
  SupConLoss: ({temperature}, {perAnchor: _, ...given}) => supervisedContrastive({...given, temperature}),
};

/** All pairs, also where the default of the loss is to choose. */
const everyPair: Miner = (embeddings, labels) => {
  const list = Array.from(labels.dataSync());
  const rows = list.flatMap((label, a) =>
    list.flatMap((other, b) => (a === b ? [] : [{a, b, isSame: label === other}])),
  );
  const of = (isSame: boolean) => rows.filter((pair) => pair.isSame === isSame).map(({a, b}) => [a, b] as const);
  return givenPairs(of(true), of(false))(embeddings, labels);
};

/** The pairs or triplets that a case lists; all of them if it lists none. */
function minerOf({indices, loss}: Case): Miner {
  if (!indices) return everyPair;
  const {anchor, positive = [], negative = []} = indices;
  if (anchor) return givenTriplets(zipped(anchor, positive, negative) as unknown as Triplet[]);
  if (loss === 'TripletMarginLoss') throw new Error('triplets have anchors');
  const asPairs = (anchors: number[] = [], others: number[] = []) =>
    zipped(anchors, others) as unknown as [number, number][];
  return givenPairs(asPairs(indices.anchor_positive, positive), asPairs(indices.anchor_negative, negative));
}

const lossOf = (one: Case, perAnchor: PerAnchor) =>
  (BUILDERS[one.loss] as (typeof BUILDERS)[string])(one.params, {
    ...DISTANCES[one.distance],
    mine: minerOf(one),
    perAnchor,
  });

/** Losses and the gradient of their sum, each times a factor. */
function evaluated(loss: PerSampleLoss, batch: OracleBatch, factors?: readonly number[]) {
  const [labels, embeddings] = [labelsOf(batch), embeddingsOf(batch)];
  const weights = tf.tensor1d([...(factors ?? new Array(batch.B).fill(1))]);
  const losses = Array.from(loss(labels, embeddings).dataSync());
  const gradient = Array.from(
    tf
      .grad((x) => tf.sum(tf.mul(loss(labels, x), weights)))(embeddings)
      .dataSync(),
  );
  expect(gradient.every(Number.isFinite)).toBe(true);
  return {losses, gradient};
}

/** As the README of the oracle says; sharp exponentials less. */
const closeness = ({loss}: Case) =>
  ['MultiSimilarityLoss', 'NTXentLoss', 'SupConLoss'].includes(loss)
    ? {absolute: 1e-5, relative: 1e-3}
    : {absolute: 5e-6, relative: 3e-4};

const isSoft = ({params}: Case) => params.smooth_loss === true;
const part = (one: Case, name = 'loss') => one.parts[name] as Part;

function expectGradient(one: Case, got: number[], want: readonly Value[] | undefined, batch: OracleBatch): void {
  // The peer gives a zero row a gradient of 1e11 under a normalised distance.
  const isZero = rowsOfBatch(batch).map((row) => row.every((value) => value === 0));
  const kept = (values: readonly Value[]) => numbersOf(values).filter((_, i) => !isZero[Math.floor(i / batch.D)]);
  const size = Math.max(...kept(want ?? []).map(Math.abs), 0);
  expectSameDirection(kept(got), kept(want ?? []), 4e-3, 2e-6 + 1e-5 * size);
  expect(one.name).toBeDefined();
}

const plain = (one: Case) => !one.tie && !one.float64_differs;
const named = (cases: readonly Case[]) => cases.map((one) => [one.name, one] as const);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe('The cases of the losses', () => {
  it.each([pairLosses, tripletLosses, special])('are all there', ({cases, n_cases}) =>
    expect(cases).toHaveLength(n_cases),
  );
});

describeOnBackends('tripletLoss', () => {
  const cases = (tripletLosses.cases as unknown as Case[]).filter(({loss}) => loss === 'TripletMarginLoss');
  const batchOf = ({batch}: Case) => tripletLosses.batches[batch] as OracleBatch;

  it.each(named(cases.filter(plain)))('gives the sums, the means and the gradients of the peer: %s', (_, one) => {
    const batch = batchOf(one);
    const {per_anchor_sum: sums, per_anchor_count: counts, per_anchor_nonzero: nonZero, n = 0, zero_loss} = part(one);
    const summed = evaluated(lossOf(one, 'sum'), batch);
    if (zero_loss) {
      expect([...summed.losses, ...summed.gradient].every((value) => value === 0)).toBe(true);
      return;
    }
    expectClose(summed.losses, numbersOf(sums ?? []), closeness(one));
    expectGradient(
      one,
      summed.gradient.map((value) => value / n),
      one.grad_mean,
      batch,
    );
    const total = sum(nonZero ?? []);
    if (total > 0)
      expectGradient(
        one,
        summed.gradient.map((value) => value / total),
        one.grad_avg_nonzero,
        batch,
      );
    const shares = (divisors: readonly number[] = []) =>
      numbersOf(sums ?? []).map((value, a) => value / (divisors[a] || 1));
    expectClose(evaluated(lossOf(one, 'mean'), batch).losses, shares(counts), closeness(one));
    if (!isSoft(one)) expectClose(evaluated(lossOf(one, 'meanNonZero'), batch).losses, shares(nonZero), closeness(one));
    // One factor an anchor, as a selection gives it.
    const byCounts = evaluated(lossOf(one, 'mean'), batch, counts);
    expectGradient(
      one,
      byCounts.gradient.map((value) => value / n),
      one.grad_mean,
      batch,
    );
  });
});

describeOnBackends('marginLoss', () => {
  const cases = (tripletLosses.cases as unknown as Case[]).filter(({loss}) => loss === 'MarginLoss');
  const batchOf = ({batch}: Case) => tripletLosses.batches[batch] as OracleBatch;

  it.each(named(cases.filter(plain)))('gives the sums and the gradients of the peer: %s', (_, one) => {
    const batch = batchOf(one);
    const {per_anchor_sum: sums, per_anchor_count: counts, divisor = 0, zero_loss} = part(one, 'margin_loss');
    const {losses, gradient} = evaluated(lossOf(one, 'sum'), batch);
    expectClose(losses, zero_loss ? losses.map(() => 0) : numbersOf(sums ?? []), closeness(one));
    if (divisor > 0)
      expectGradient(
        one,
        gradient.map((value) => value / divisor),
        one.grad_divisor,
        batch,
      );
    if (zero_loss) return;
    const means = numbersOf(sums ?? []).map((value, a) => value / (counts?.[a] || 1));
    expectClose(evaluated(lossOf(one, 'mean'), batch).losses, means, closeness(one));
  });
});

/** The pairs of an anchor that count, from what a loss is given. */
function pairCounts(one: Case, batch: OracleBatch) {
  const mined = minerOf(one)(embeddingsOf(batch), labelsOf(batch)) as {positives: tf.Tensor2D; negatives: tf.Tensor2D};
  const counted = (marks: tf.Tensor2D) => Array.from(tf.sum(marks, 1).dataSync());
  return {positive: counted(mined.positives), negative: counted(mined.negatives)};
}

describeOnBackends('The losses of pairs', () => {
  const cases = pairLosses.cases as unknown as Case[];
  const batchOf = ({batch}: Case) => pairLosses.batches[batch] as OracleBatch;

  it.each(named(cases.filter((one) => plain(one) && one.loss === 'ContrastiveLoss')))(
    'are those of the peer: %s',
    (_, one) => {
      const batch = batchOf(one);
      const {losses, gradient} = evaluated(lossOf(one, 'sum'), batch);
      const sides = [part(one, 'pos_loss'), part(one, 'neg_loss')];
      const sums = sides.map(({per_anchor_sum}) => numbersOf(per_anchor_sum ?? new Array(batch.B).fill(0)));
      expectClose(
        losses,
        losses.map((__, a) => sum(sums.map((side) => side[a] as number))),
        closeness(one),
      );
      // The peer adds the means of its two kinds of pairs; the gradients of both kinds in turn,
      // then.
      const counted = sides.map(({n = 0, per_anchor_count}) => ({n, counts: per_anchor_count}));
      expect(gradient).toHaveLength(batch.B * batch.D);
      const miner = minerOf(one)(embeddingsOf(batch), labelsOf(batch)) as {
        positives: tf.Tensor2D;
        negatives: tf.Tensor2D;
      };
      const halves = [
        {positives: miner.positives, negatives: tf.zerosLike(miner.negatives)},
        {positives: tf.zerosLike(miner.positives), negatives: miner.negatives},
      ].map((half, i) => {
        const build = BUILDERS.ContrastiveLoss as (typeof BUILDERS)[string];
        const loss = build(one.params, {...DISTANCES[one.distance], mine: () => half, perAnchor: 'sum'});
        return evaluated(loss, batch).gradient.map((value) => (counted[i]?.n ? value / counted[i].n : 0));
      });
      expectGradient(
        one,
        gradient.map((__, i) => sum(halves.map((half) => half[i] as number))),
        one.grad_mean,
        batch,
      );
    },
  );

  it.each(named(cases.filter((one) => plain(one) && ['MultiSimilarityLoss', 'SupConLoss'].includes(one.loss))))(
    'are those of the peer: %s',
    (_, one) => {
      const batch = batchOf(one);
      const {losses, gradient} = evaluated(lossOf(one, 'mean'), batch);
      const {per_anchor, zero_loss} = part(one);
      expectClose(losses, zero_loss ? losses.map(() => 0) : numbersOf(per_anchor ?? []), closeness(one));
      expectGradient(
        one,
        gradient.map((value) => value / batch.B),
        one.grad_mean,
        batch,
      );
    },
  );

  it.each(named(cases.filter((one) => plain(one) && one.loss === 'NTXentLoss')))(
    'are those of the peer: %s',
    (_, one) => {
      const batch = batchOf(one);
      const {positive} = pairCounts(one, batch);
      const {losses, gradient} = evaluated(lossOf(one, 'mean'), batch, positive);
      const {per_anchor_sum: sums, n = 1, zero_loss} = part(one);
      expectClose(
        losses.map((value, a) => value * (positive[a] as number)),
        zero_loss ? losses.map(() => 0) : numbersOf(sums ?? []),
        closeness(one),
      );
      expectGradient(
        one,
        gradient.map((value) => value / n),
        one.grad_mean,
        batch,
      );
    },
  );
});

describeOnBackends('The special cases', () => {
  const cases = special.cases as unknown as Case[];
  const batchOf = ({batch}: Case) => special.batches[batch] as OracleBatch;
  const noted = (text: string) => named(cases.filter(({note}) => note?.startsWith(text)));
  const meanOf = (one: Case) => {
    const batch = batchOf(one);
    const {losses} = evaluated(lossOf(one, 'mean'), batch);
    if (one.loss !== 'NTXentLoss') return sum(losses) / batch.B;
    const {positive} = pairCounts(one, batch);
    return sum(losses.map((loss, a) => loss * (positive[a] as number))) / sum(positive);
  };

  it.each(noted('small temperature'))('continue where the peer stops at 87.3 with gradient 0: %s', (_, one) => {
    const trueMean = (one as {mean_f64?: number}).mean_f64 ?? Number(one.mean);
    expectClose([meanOf(one)], [trueMean], {absolute: 1e-4, relative: 1e-3});
    expect(evaluated(lossOf(one, 'mean'), batchOf(one)).gradient.some((value) => value !== 0)).toBe(true);
  });

  it.each(named(cases.filter((one) => one.note === undefined && batchOf(one).kind === 'random')))(
    'are the mean over the pairs of the peer, and its gradient: %s',
    (_, one) => {
      const batch = batchOf(one);
      expectClose([meanOf(one)], [Number(one.mean)], closeness(one));
      const {positive} = pairCounts(one, batch);
      const {gradient} = evaluated(lossOf(one, 'mean'), batch, positive);
      expectGradient(
        one,
        gradient.map((value) => value / sum(positive)),
        one.grad_mean,
        batch,
      );
    },
  );

  it.each([...noted('no such saturation'), ...noted('mask based'), ...noted('two positive pairs')])(
    'are those of the peer: %s',
    (_, one) => {
      if (one.loss === 'ContrastiveLoss') return expectContrastive(one);
      expectClose([meanOf(one)], [Number(one.mean)], {absolute: 1e-4, relative: 1e-3});
    },
  );

  function expectContrastive(one: Case): void {
    const sums = ['pos_loss', 'neg_loss'].map((side) => numbersOf(part(one, side).per_anchor_sum ?? []));
    const {losses} = evaluated(lossOf(one, 'sum'), batchOf(one));
    // A side of one pair is none to the peer, and one here.
    const missing = sums.filter((side) => side.length === 0).length;
    const [ours, theirs] = [sum(losses), sum(sums.flat())];
    if (missing === 0) expectClose([ours], [theirs], closeness(one));
    else expect(ours).toBeGreaterThanOrEqual(theirs);
  }

  it.each(noted('one positive and one negative pair'))(
    'count a single pair, where the peer returns 0: %s',
    (_, one) => {
      const batch = batchOf(one);
      expect(Number(one.mean)).toBe(0);
      const {positive: others = [], anchor_positive: [anchor = 0] = [], negative: [far = 0] = []} = one.indices ?? {};
      const distances = plainDistances(rowsOfBatch(batch), DISTANCES[one.distance] ?? {});
      const near = distances[anchor]?.[others[0] as number] as number;
      const away = distances[anchor]?.[far] as number;
      const {alpha, beta, base, temperature, neg_margin} = one.params;
      const sharp = Math.log1p(Math.exp((near - away) / temperature));
      const expected = {
        ContrastiveLoss: near + Math.max(0, neg_margin - away),
        MultiSimilarityLoss:
          Math.log1p(Math.exp(-alpha * (-near - base))) / alpha + Math.log1p(Math.exp(beta * (-away - base))) / beta,
        NTXentLoss: sharp,
        SupConLoss: sharp,
      }[one.loss] as number;
      const {losses} = evaluated(lossOf(one, 'mean'), batch);
      expectClose(
        losses,
        losses.map((__, a) => (a === anchor ? expected : 0)),
        {absolute: 1e-5, relative: 1e-4},
      );
    },
  );

  it.each(noted('all triplets given'))('count each pair once, where the peer repeats them: %s', (_, one) => {
    const all = evaluated(lossOf({...one, indices: undefined} as never, 'mean'), batchOf(one));
    const given = evaluated(lossOf(one, 'mean'), batchOf(one));
    expectClose(given.losses, all.losses, closeness(one));
    expectClose(given.gradient, all.gradient, closeness(one));
  });

  it.each(noted('very large similarities'))('stay finite: %s', (_, one) => {
    const {losses} = evaluated(lossOf(one, one.loss === 'TripletMarginLoss' ? 'sum' : 'mean'), batchOf(one));
    const {per_anchor, per_anchor_sum} = part(one);
    if (one.loss === 'NTXentLoss') {
      // The peer stops at 87.3.
      expect(Math.max(...losses)).toBeGreaterThan(88);
      return;
    }
    expectClose(losses, numbersOf(per_anchor ?? per_anchor_sum ?? []), {absolute: 1e-2, relative: 1e-3});
  });

  it.each(named(cases.filter((one) => ['nan_row', 'inf_row'].includes(batchOf(one).kind))))(
    'leave out a row that is not finite, which makes every row NaN for the peer: %s',
    (_, one) => {
      const batch = batchOf(one);
      const bad = 1;
      const loss = lossOf({...one, indices: undefined} as never, 'sum');
      const losses = Array.from(loss(labelsOf(batch), embeddingsOf(batch)).dataSync());
      expect(losses.map(Number.isNaN)).toEqual(losses.map((__, a) => a === bad));
      const without = <T>(list: readonly T[]) => list.filter((__, a) => a !== bad);
      const rest = {
        ...batch,
        B: batch.B - 1,
        labels: without(batch.labels),
        embeddings: without(rowsOfBatch(batch)).flat(),
      };
      const alone = evaluated(loss, rest);
      expectClose(without(losses), alone.losses, closeness(one));
      const finite = tf.tensor1d(losses.map((value) => (Number.isNaN(value) ? 0 : 1)));
      const counted = tf.grad((x) =>
        tf.sum(tf.mul(tf.where(tf.equal(finite, 1), loss(labelsOf(batch), x), 0), finite)),
      )(embeddingsOf(batch));
      const rows = tf.unstack(counted).map((row) => Array.from(row.dataSync()));
      expect((rows[bad] as number[]).every((value) => value === 0)).toBe(true);
      expectClose(without(rows).flat(), alone.gradient, {absolute: 1e-5, relative: 1e-3});
    },
  );

  it.each(noted('reference set'))('compare anchors with other rows, which are not moved: %s', (_, one) => {
    const batch = batchOf(one);
    const reference = referenceOf(batch) as {embeddings: tf.Tensor; labels: tf.Tensor};
    const memory = {
      rows: () => ({
        embeddings: reference.embeddings as tf.Tensor2D,
        labels: tf.cast(reference.labels, 'float32') as tf.Tensor1D,
      }),
    };
    const others = batch.reference_labels as number[];
    const pairs = (isSame: boolean) =>
      batch.labels.flatMap((label, a) =>
        others.flatMap((other, b) => ((label === other) === isSame ? [[a, batch.B + b] as const] : [])),
      );
    const perAnchor = ['MultiSimilarityLoss', 'SupConLoss', 'NTXentLoss'].includes(one.loss) ? 'mean' : 'sum';
    const mine = givenPairs(pairs(true), pairs(false));
    const build = BUILDERS[one.loss] as (typeof BUILDERS)[string];
    const loss = build(one.params, {...DISTANCES[one.distance], mine, perAnchor, memory} as never);
    const counts = pairs(true).reduce(
      (all, [a]) => all.map((n, i) => (i === a ? n + 1 : n)),
      batch.labels.map(() => 0),
    );
    const {losses, gradient} = evaluated(loss, batch, one.loss === 'NTXentLoss' ? counts : undefined);
    const parts = Object.values(one.parts).map(({per_anchor_sum, per_anchor}) =>
      numbersOf(per_anchor_sum ?? per_anchor ?? losses.map(() => 0)),
    );
    const scaled = losses.map((value, a) => (one.loss === 'NTXentLoss' ? value * (counts[a] as number) : value));
    expectClose(
      scaled,
      losses.map((__, a) => sum(parts.map((side) => side[a] as number))),
      closeness(one),
    );
    const {n = batch.B, divisor} = Object.values(one.parts)[0] as Part;
    if (one.loss === 'ContrastiveLoss') return;
    expectGradient(
      one,
      gradient.map((value) => value / (divisor ?? n)),
      one.grad_divisor ?? one.grad_mean,
      batch,
    );
  });
});
