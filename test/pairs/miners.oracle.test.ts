/** @file The miners against PyTorch Metric Learning: 222 cases. */
import {
  angular,
  batchEasyHard,
  batchHard,
  hardestShare,
  type Miner,
  multiSimilarity,
  type Pairs,
  pairMargin,
  type Triplets,
  tripletMargin,
} from 'ohem-tfjs/pairs';
import {describe, expect, it} from 'vitest';
import easyHard from '../fixtures/pml_batch_easy_hard.json';
import pairMiners from '../fixtures/pml_pair_miners.json';
import tripletMiners from '../fixtures/pml_triplet_miners.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {easyHardDistances} from '../support/minerRules';
import {
  DISTANCES,
  embeddingsOf,
  labelsOf,
  listPairs,
  listTriplets,
  type OracleBatch,
  plainDistances,
  referenceOf,
  rowsOfBatch,
  type Triplet,
  zipped,
} from '../support/pairOracles';
import {distancesOf as plainDistancesOf} from '../support/pairRules';

interface Case {
  name: string;
  batch?: number;
  miner: string;
  distance?: string;
  params: Record<string, unknown>;
  selected?: Record<string, number[]>;
  tie?: number;
  error?: string;
  half_pair_positive?: number[][];
  half_pair_negative?: number[][];
}

/** The parameters of all miners of the peer; a case has those of its own. */
interface Params {
  positive?: 'easy';
  negative?: 'easy';
  allowed_pos_range?: [number, number];
  allowed_neg_range?: [number, number];
  pos_margin: number;
  neg_margin: number;
  epsilon: number;
  filter_percentage: number;
  margin: number;
  type_of_triplets: 'all';
  angle: number;
}

const BUILDERS: Record<string, (params: Params, distance: string) => Miner> = {
  BatchHardMiner: (_, distance) => batchHard(DISTANCES[distance]),
  BatchEasyHardMiner: ({positive, negative, allowed_pos_range, allowed_neg_range}, distance) =>
    batchEasyHard({
      ...DISTANCES[distance],
      ...(positive && {positive}),
      ...(negative && {negative}),
      ...(allowed_pos_range && {positiveRange: allowed_pos_range}),
      ...(allowed_neg_range && {negativeRange: allowed_neg_range}),
    }),
  PairMarginMiner: ({pos_margin, neg_margin}, distance) =>
    pairMargin({...DISTANCES[distance], positive: pos_margin, negative: neg_margin}),
  MultiSimilarityMiner: ({epsilon}, distance) => multiSimilarity({...DISTANCES[distance], epsilon}),
  HDCMiner: ({filter_percentage}, distance) => hardestShare({...DISTANCES[distance], ratio: filter_percentage}),
  TripletMarginMiner: ({margin, type_of_triplets}, distance) =>
    tripletMargin({...DISTANCES[distance], margin, type: type_of_triplets}),
  AngularMiner: ({angle}) => angular({degrees: angle}),
};

const build = ({miner, params, distance = 'lp'}: Case) =>
  (BUILDERS[miner] as (typeof BUILDERS)[string])(params as never, distance);

function mine(one: Case, batch: OracleBatch): Triplets | Pairs {
  const reference = one.params.reference ? referenceOf(batch) : undefined;
  return build(one)(embeddingsOf(batch), labelsOf(batch), reference ? {reference} : {});
}

const asPairs = (list: Record<string, number[]>) => ({
  positives: zipped(list.anchor_positive ?? [], list.positive ?? []),
  negatives: zipped(list.anchor_negative ?? [], list.negative ?? []),
});

/** The pairs of a miner of one triplet an anchor. */
function pairsOfTriplets(triplets: readonly Triplet[]) {
  return {positives: triplets.map(([a, p]) => [a, p]), negatives: triplets.map(([a, , n]) => [a, n])};
}

/** What can be compared of equal distances: the distances that were chosen. */
function distancesOf(
  {positives, negatives}: {positives: readonly (readonly number[])[]; negatives: readonly (readonly number[])[]},
  one: Case,
  batch: OracleBatch,
) {
  const all = plainDistances(rowsOfBatch(batch), DISTANCES[one.distance ?? 'lp'] ?? {});
  const at = (pairs: readonly (readonly number[])[]) =>
    pairs.map(([a, b]) => Math.round((all[a as number]?.[b as number] as number) * 1e4) / 1e4);
  return {positives: at(positives), negatives: at(negatives)};
}

/** The rule itself, over equal distances. */
function expectSemiHardPositives(one: Case, batch: OracleBatch, found: readonly Triplet[]): void {
  const plain = {rows: rowsOfBatch(batch), labels: batch.labels};
  const d = plainDistancesOf(plain, DISTANCES[one.distance ?? 'lp'] ?? {});
  const expected = easyHardDistances(plain, d, {positive: 'semihard', negative: one.params.negative as 'hard'});
  expect(expected.length).toBeGreaterThan(0);
  expect(found.map(([a]) => a)).toEqual(expected.map(([a]) => a));
  expectClose(
    found.flatMap(([a, p, n]) => [d(a, p), d(a, n)]),
    expected.flatMap(([, ofPositive, ofNegative]) => [ofPositive, ofNegative]),
    {absolute: 1e-5, relative: 1e-5},
  );
}

describe('The cases of the miners', () => {
  it.each([easyHard, pairMiners, tripletMiners])('are all there', ({cases, n_cases}) =>
    expect(cases).toHaveLength(n_cases),
  );
});

describeOnBackends('batchHard and batchEasyHard', () => {
  const cases = easyHard.cases as unknown as Case[];
  const batchOf = (one: Case) => easyHard.batches[one.batch as number] as OracleBatch;

  it.each(cases.filter(({error, tie}) => !error && !tie).map((one) => [one.name, one] as const))(
    'take what the peer takes: %s',
    (_, one) => {
      const mined = mine(one, batchOf(one));
      const selected = one.selected ?? {};
      if (selected.anchor) {
        expect(listTriplets(mined)).toEqual(zipped(selected.anchor, selected.positive ?? [], selected.negative ?? []));
      } else {
        const ours = 'weights' in mined ? pairsOfTriplets(listTriplets(mined)) : listPairs(mined);
        expect(ours).toEqual(asPairs(selected));
      }
    },
  );

  it.each(cases.filter(({tie}) => tie).map((one) => [one.name, one] as const))(
    'take one of the equal ones: %s',
    (_, one) => {
      const [batch, selected] = [batchOf(one), one.selected ?? {}];
      const mined = mine(one, batch);
      const ours = 'weights' in mined ? pairsOfTriplets(listTriplets(mined)) : listPairs(mined);
      const theirs = selected.anchor
        ? pairsOfTriplets(zipped(selected.anchor, selected.positive ?? [], selected.negative ?? []) as never)
        : asPairs(selected);
      // Equal rows have the distance 0 here, and 1e-4 there: the peer finds other semi-hard ones.
      if (one.params.positive === 'semihard') return expectSemiHardPositives(one, batch, listTriplets(mined));
      expect(distancesOf(ours, one, batch)).toEqual(distancesOf(theirs, one, batch));
    },
  );

  it.each(cases.filter(({error}) => error).map((one) => [one.name, one] as const))(
    'refuse what the peer refuses: %s',
    (_, one) => {
      expect(() => build(one)).toThrow(
        /^batchEasyHard: negative must be (easy or hard beside positive: |one of easy, semihard, hard, all, got 'none')/,
      );
    },
  );
});

describeOnBackends('pairMargin, multiSimilarity and hardestShare', () => {
  const cases = pairMiners.cases as unknown as Case[];
  const batchOf = (one: Case) => pairMiners.batches[one.batch as number] as OracleBatch;

  it.each(cases.filter(({tie}) => !tie).map((one) => [one.name, one] as const))(
    'take what the peer takes: %s',
    (_, one) => {
      const ours = listPairs(mine(one, batchOf(one)) as Pairs);
      const theirs = asPairs(one.selected ?? {});
      // Of (i, j) and (j, i), whose distances are equal, the peer may take one. Ours takes both.
      const whole = (pairs: number[][], halves: number[][] = []) => {
        const added = halves.flatMap(([a, b]) => [
          [a, b],
          [b, a],
        ]) as number[][];
        const all = new Map([...pairs, ...added].map((pair) => [String(pair), pair]));
        return [...all.values()].sort(
          ([a, b], [c, d]) => (a as number) - (c as number) || (b as number) - (d as number),
        );
      };
      expect(ours.positives).toEqual(whole(theirs.positives, one.half_pair_positive));
      expect(ours.negatives).toEqual(whole(theirs.negatives, one.half_pair_negative));
    },
  );

  it.each(cases.filter(({tie, miner}) => tie && miner === 'HDCMiner').map((one) => [one.name, one] as const))(
    'take all of the equal ones at the limit: %s',
    (_, one) => {
      const [ours, theirs] = [listPairs(mine(one, batchOf(one)) as Pairs), asPairs(one.selected ?? {})];
      expect(ours.positives.length).toBeGreaterThanOrEqual(theirs.positives.length);
      expect(ours.negatives.length).toBeGreaterThanOrEqual(theirs.negatives.length);
    },
  );
});

describeOnBackends('tripletMargin and angular', () => {
  const cases = tripletMiners.cases as unknown as Case[];
  const batchOf = (one: Case) => tripletMiners.batches[one.batch as number] as OracleBatch;
  /** The peer asserts a normalised distance, and then takes the embeddings as they are. */
  const isOfRaw = ({miner, batch}: Case) =>
    miner === 'AngularMiner' && tripletMiners.batches[batch as number]?.kind !== 'unit';

  it.each(cases.filter((one) => !one.tie && !isOfRaw(one)).map((one) => [one.name, one] as const))(
    'take what the peer takes: %s',
    (_, one) => {
      const selected = one.selected ?? {};
      expect(listTriplets(mine(one, batchOf(one)))).toEqual(
        zipped(selected.anchor ?? [], selected.positive ?? [], selected.negative ?? []),
      );
    },
  );

  it.each(cases.filter(isOfRaw).map((one) => [one.name, one] as const))(
    'see angles of normalised embeddings, where the peer takes raw ones: %s',
    (_, one) => {
      const batch = batchOf(one);
      const units = rowsOfBatch(batch).map((row) => row.map((value) => value / Math.max(Math.hypot(...row), 1e-12)));
      const apart = (a: number[], b: number[]) => Math.hypot(...a.map((value, i) => value - (b[i] as number)));
      const degreesAt = (a: number[], p: number[], n: number[]) => {
        const center = a.map((value, i) => (value + (p[i] as number)) / 2);
        return (Math.atan2(apart(a, p), 2 * apart(n, center)) * 180) / Math.PI;
      };
      const limit = one.params.angle as number;
      const rows = units.map((_row, i) => i);
      const all = rows.flatMap((a) => rows.flatMap((p) => rows.map((n) => [a, p, n] as const)));
      const {labels} = batch;
      const isTriplet = ([a, p, n]: Triplet) => a !== p && labels[a] === labels[p] && labels[a] !== labels[n];
      const angleOf = ([a, p, n]: Triplet) =>
        degreesAt(units[a] as number[], units[p] as number[], units[n] as number[]);
      const near = all.filter((triplet) => isTriplet(triplet) && Math.abs(angleOf(triplet) - limit) < 1e-3);
      const isSure = (triplet: Triplet) => !near.some((other) => String(other) === String(triplet));
      const expected = all.filter((triplet) => isTriplet(triplet) && angleOf(triplet) > limit);
      expect(listTriplets(mine(one, batch)).filter(isSure)).toEqual(expected.filter(isSure));
    },
  );
});
