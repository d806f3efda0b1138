/**
 * @file InfoBatch against its authors' code: 12 cases. Its draws are its own; what it draws from,
 *   and how many, is compared.
 */
import {infoBatch} from 'ohem-tfjs/samplers';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/infobatch.json';

interface OracleEpoch {
  epoch: number;
  pruned: number;
  scores_before: (number | string)[];
  easy: number[];
  n_kept_easy: number;
  n_rows: number;
  weights: number[];
}

interface Case {
  name: string;
  params: {n: number; epochs: number; keep_ratio: number; delta: number};
  epochs: OracleEpoch[];
}

const cases = oracle.cases as unknown as Case[];
/** Cases in which the authors' code does what this one does not, each below. */
const TRAPS = ['n24_r0_e4', 'n5_r95_nothing_kept_e3', 'trap_equal_scores', 'nan_loss_row'];
const named = (name: string) => cases.find((one) => one.name === name) as Case;

function chosenIn({params: {n, epochs, keep_ratio, delta}}: Case, {epoch, scores_before}: OracleEpoch) {
  const sampler = infoBatch({ratio: 1 - keep_ratio, delta});
  // Its scores start at 3; here a row that was not seen has none.
  const losses = Float32Array.from(scores_before, (score) => (epoch === 0 ? Number.NaN : Number(score)));
  const {rows, weights} = sampler.choose(sampler.init(n), {epoch, epochs, seed: 1, scores: {losses}});
  return {rows: Array.from(rows), weights: Array.from(weights ?? new Float32Array(rows.length).fill(1))};
}

describe('The cases of InfoBatch', () => {
  it('are all there', () => expect(cases).toHaveLength(oracle.n_cases));
});

describe.each(cases.filter(({name}) => !TRAPS.includes(name)))('infoBatch in the case $name', (one) => {
  it.each(one.epochs.map((epoch) => [epoch.epoch, epoch] as const))('has the rows of epoch %d', (_, epoch) => {
    const {rows, weights} = chosenIn(one, epoch);
    expect(rows).toHaveLength(epoch.n_rows);
    const easy = epoch.pruned === 1 ? epoch.easy : [];
    const kept = rows.filter((row) => easy.includes(row));
    if (epoch.pruned === 1) expect(kept).toHaveLength(epoch.n_kept_easy);
    // All rows that are not easy, with weight 1. The authors' code has the weights of the last
    // pruned epoch in its closing epochs, unless epochs · delta is a whole number
    // (`stale_weights`).
    rows.forEach((row, place) => {
      const expected = kept.includes(row) ? Math.fround(easy.length / kept.length) : 1;
      expect(weights[place]).toBe(expected);
    });
    expect(rows.filter((row) => !easy.includes(row))).toEqual(
      epoch.scores_before.flatMap((_, row) => (easy.includes(row) ? [] : [row])),
    );
    // The factor of the authors is 1 / keep_ratio, which is too small if a share had to be cut.
    const cut = easy.length * one.params.keep_ratio - kept.length;
    if (kept.length > 0 && cut < 1e-6) expect(Math.max(...weights)).toBeCloseTo(Math.max(...epoch.weights), 6);
  });
});

describe('infoBatch where the code of its authors goes wrong', () => {
  it('has weight 1 in all closing epochs, where theirs continue with stale weights', () => {
    const stale = cases.flatMap((one) =>
      one.epochs
        .filter((epoch) => 'stale_weights' in epoch && epoch.stale_weights === 1)
        .map((epoch) => ({one, epoch})),
    );
    expect(stale.length).toBeGreaterThan(3);
    for (const {one, epoch} of stale) {
      const {rows, weights} = chosenIn(one, epoch);
      expect(rows).toHaveLength(one.params.n);
      expect(new Set(weights)).toEqual(new Set([1]));
    }
  });

  it('calls no row easy if all losses are equal, where rounding makes all of them so', () => {
    const one = named('trap_equal_scores');
    expect(one.epochs[1]?.easy).toHaveLength(10);
    const {rows} = chosenIn(one, {...(one.epochs[1] as OracleEpoch), scores_before: new Array(10).fill(1.1)});
    expect(rows).toHaveLength(10);
  });

  it('keeps one easy row where none was left, so that the estimate stays unbiased', () => {
    const one = named('n5_r95_nothing_kept_e3');
    for (const epoch of one.epochs.slice(1)) {
      expect([epoch.easy.length, epoch.n_kept_easy]).toEqual([4, 0]);
      const {rows, weights} = chosenIn(one, epoch);
      expect(rows).toHaveLength(2);
      expect([...weights].sort()).toEqual([1, 4]);
    }
  });

  it('goes by the mean of the finite losses, where one NaN ends the pruning for good', () => {
    const epoch = named('nan_loss_row').epochs[2] as OracleEpoch;
    const nans = epoch.scores_before.flatMap((score, row) => (score === 'NaN' ? [row] : []));
    expect(nans).toHaveLength(1);
    const one = {...named('nan_loss_row'), params: {...named('nan_loss_row').params, delta: 1}};
    const {rows} = chosenIn(one, epoch);
    expect(rows.length).toBeLessThan(8);
    expect(rows).toContain(nans[0]);
  });

  it('refuses a ratio of 0, which leaves out nothing', () => {
    expect(named('n24_r0_e4').epochs.every(({n_rows}) => n_rows === 24)).toBe(true);
    expect(() => infoBatch({ratio: 0})).toThrow(new RangeError('infoBatch: ratio must be in (0, 1), got 0.'));
  });
});
