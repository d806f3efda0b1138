/** @file What every sampler promises. A new one is a line in `test/support/samplerCases.ts`. */
import fc from 'fast-check';
import type {EpochRows, RowScores, Sampler} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {RUNS, randomFrom} from '../support/property';
import {SAMPLER_CASES} from '../support/samplerCases';

const SIZE = 40;
const EPOCHS = 12;
const ALL = Array.from({length: SIZE}, (_, row) => row);
const FEW_RUNS = {...RUNS, numRuns: 40};

/** Losses with ties, zeros of both signs, and some that are not finite. */
const loss = fc.oneof(
  {weight: 8, arbitrary: fc.float({min: 0, max: 8, noNaN: true})},
  {weight: 2, arbitrary: fc.constantFrom(0, -0, 0.5, 0.5, 1e-30, 3e38)},
  {weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)},
);
const scoresOf = fc
  .tuple(
    fc.array(loss, {minLength: SIZE, maxLength: SIZE}),
    fc.array(fc.constantFrom(0, 1), {minLength: SIZE, maxLength: SIZE}),
    fc.array(fc.float({min: 0, max: 1, noNaN: true}), {minLength: SIZE, maxLength: SIZE}),
  )
  .map(([losses, correct, confidence]) => ({
    losses: Float32Array.from(losses),
    correct: Uint8Array.from(correct),
    confidence: Float32Array.from(confidence),
  }));
const seeds = fc.oneof(fc.nat(1000), fc.constantFrom('a', 'b'));

const equalScores = (value: number): RowScores => ({
  losses: new Float32Array(SIZE).fill(value),
  correct: new Uint8Array(SIZE).fill(1),
  confidence: new Float32Array(SIZE).fill(1),
});
const unseen = () => equalScores(Number.NaN);

interface Epoch {
  state: unknown;
  scores: RowScores;
  chosen: EpochRows;
}

/**
 * The epochs of a run in which rows get new losses when they are trained on or run forward, and
 * most of them lower ones.
 */
function runOf(sampler: Sampler, seed: number | string, between = (state: unknown) => state): Epoch[] {
  const random = randomFrom(7);
  const [losses, correct] = [new Float32Array(SIZE).fill(Number.NaN), new Uint8Array(SIZE)];
  const confidence = new Float32Array(SIZE);
  let state = between(sampler.init(SIZE));
  return Array.from({length: EPOCHS}, (_, epoch) => {
    const scores = {losses: losses.slice(), correct: correct.slice(), confidence: confidence.slice()};
    const before = state;
    const chosen = sampler.choose(state, {epoch, epochs: EPOCHS, seed, scores});
    for (const row of [...chosen.rows, ...(chosen.rescore ?? [])]) {
      const isStuck = row % 5 === 0;
      losses[row] = isStuck ? 2 + random() : ((row + 1) / SIZE) * 0.5 ** epoch;
      if (row === 17) losses[row] = Number.NaN;
      correct[row] = isStuck ? 0 : 1;
      confidence[row] = isStuck ? 0.4 : 0.95;
    }
    state = between(sampler.next(state, {epoch, chosen, scores: {losses, correct, confidence}}));
    return {state: before, scores, chosen};
  });
}

const plain = ({rows, weights, rescore, learningRateFactor}: EpochRows) => ({
  rows: Array.from(rows),
  weights: weights && Array.from(weights),
  rescore: rescore && Array.from(rescore),
  learningRateFactor,
});

function expectRising(rows: Int32Array): void {
  expect(rows).toBeInstanceOf(Int32Array);
  rows.forEach((row, place) => {
    expect(row).toBeGreaterThan(place === 0 ? -1 : (rows[place - 1] as number));
    expect(row).toBeLessThan(SIZE);
  });
}

/** What a trainer relies on. */
function expectSound({rows, weights, rescore, learningRateFactor = 1}: EpochRows): void {
  expect(rows.length).toBeGreaterThan(0);
  expectRising(rows);
  if (weights !== undefined) {
    expect(weights).toHaveLength(rows.length);
    for (const weight of weights) expect(Number.isFinite(weight) && weight >= 0).toBe(true);
  }
  if (rescore !== undefined) {
    expectRising(rescore);
    expect(rescore.filter((row) => rows.includes(row))).toHaveLength(0);
  }
  expect(Number.isFinite(learningRateFactor) && learningRateFactor > 0).toBe(true);
}

describe('The contract of the samplers', () => {
  it('is held by every sampler that is exported', async () => {
    const exported = Object.keys(await import('ohem-tfjs/samplers'));
    expect([...new Set(SAMPLER_CASES.map(({member}) => member))].sort()).toEqual(exported.sort());
  });
});

describe.each(SAMPLER_CASES)('$member($options)', ({member, build, looksAtNoLoss, inner = member}) => {
  /** A choice in a middle of a run, by any scores. */
  const chosenBy = (scores: RowScores, {epoch = 4, seed = 1 as number | string} = {}) => {
    const sampler = build();
    return sampler.choose(sampler.init(SIZE), {epoch, epochs: EPOCHS, seed, scores});
  };

  it('says by which name it was built', () => {
    expect(build().samplerName).toBe(member);
  });

  it('gives rows in ascending order, each once, with sound weights, for any scores and in a run', () => {
    const property = fc.property(scoresOf, fc.nat(EPOCHS - 1), seeds, (scores, epoch, seed) => {
      expectSound(chosenBy(scores, {epoch, seed}));
    });
    fc.assert(property, FEW_RUNS);
    for (const {chosen} of runOf(build(), 5)) expectSound(chosen);
  });

  it('gives at least one row, whatever the scores', () => {
    for (const value of [0, 1.1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -3]) {
      for (let epoch = 0; epoch < EPOCHS; epoch++) expectSound(chosenBy(equalScores(value), {epoch}));
    }
    const sampler = looksAtNoLoss ? undefined : build();
    const one = {losses: Float32Array.of(0.1), correct: Uint8Array.of(1), confidence: Float32Array.of(1)};
    if (sampler) {
      const {rows} = sampler.choose(sampler.init(1), {epoch: 4, epochs: EPOCHS, seed: 1, scores: one});
      expect(Array.from(rows)).toEqual([0]);
    }
  });

  it.skipIf(looksAtNoLoss)('leaves out no row that was never seen, or whose loss is not finite', () => {
    const property = fc.property(scoresOf, fc.nat(EPOCHS - 1), (scores, epoch) => {
      const {rows} = chosenBy(scores, {epoch});
      expect(ALL.filter((row) => !Number.isFinite(scores.losses[row]) && !rows.includes(row))).toEqual([]);
    });
    fc.assert(property, FEW_RUNS);
    for (const {chosen} of runOf(build(), 5)) expect(chosen.rows).toContain(17);
  });

  it.skipIf(looksAtNoLoss)('begins with all rows, with no weight and at the whole rate', () => {
    expect(plain(chosenBy(unseen(), {epoch: 0}))).toEqual(plain({rows: Int32Array.from(ALL)}));
  });

  it('changes neither scores nor state nor what it chose', () => {
    const sampler = build();
    for (const {state, scores, chosen} of runOf(sampler, 5)) {
      const copies = structuredClone({state, scores, chosen});
      sampler.choose(state, {epoch: 4, epochs: EPOCHS, seed: 5, scores});
      sampler.next(state, {epoch: 4, chosen, scores});
      expect({state, scores, chosen}).toEqual(copies);
    }
  });

  it('gives the same rows for the same calls, by another that was built alike, and after a save', () => {
    const rows = (epochs: Epoch[]) => epochs.map(({chosen}) => plain(chosen));
    const first = rows(runOf(build(), 5));
    const sampler = build();
    expect(rows(runOf(sampler, 5))).toEqual(first);
    expect(rows(runOf(sampler, 5))).toEqual(first);
    expect(rows(runOf(build(), 5, structuredClone))).toEqual(first);
  });

  it('has a state of numbers, texts, lists, records and typed arrays', () => {
    for (const {state} of runOf(build(), 5)) expectPlainData(state);
  });

  it('takes 16 bytes for each row with its scores, or 24 with a history of losses', () => {
    const sampler = build();
    const {losses, correct, confidence} = equalScores(1);
    const held = {losses, ...(sampler.needs && {correct, confidence}), ...(sampler.init(SIZE) as object)};
    const arrays = Object.values(held).filter(ArrayBuffer.isView);
    const bytes = arrays.reduce((sum, {byteLength}) => sum + byteLength, 0) / SIZE;
    expect(bytes).toBeLessThanOrEqual([member, inner].includes('earlyStopped') ? 24 : 16);
  });

  it('chooses while the others around it are not there', () => {
    const {init, choose, next} = build();
    const scores = unseen();
    const chosen = choose(init(SIZE), {epoch: 0, epochs: EPOCHS, seed: 1, scores});
    expect(next(init(SIZE), {epoch: 0, chosen, scores})).toBeDefined();
  });

  it('reads nothing but what it says that it needs', () => {
    const sampler = build();
    const {losses, ...others} = equalScores(0.3);
    const given = Object.fromEntries(Object.entries(others).filter(([name]) => sampler.needs?.includes(name as never)));
    expectSound(sampler.choose(sampler.init(SIZE), {epoch: 4, epochs: EPOCHS, seed: 1, scores: {losses, ...given}}));
    for (const name of sampler.needs ?? []) {
      const scores = {losses, ...given, [name]: undefined} as never;
      expect(() => sampler.choose(sampler.init(SIZE), {epoch: 4, epochs: EPOCHS, seed: 1, scores})).toThrow(
        `${inner}: scores.${name} must be a ${name === 'correct' ? 'Uint8Array' : 'Float32Array'}, got undefined.`,
      );
    }
  });

  it('refuses scores of another number of rows, by its name', () => {
    const sampler = build();
    const state = sampler.init(SIZE);
    const scores = {...unseen(), losses: new Float32Array(SIZE - 1)};
    const error = new RangeError(`${inner}: scores.losses must have 40 values, one for each row, got 39.`);
    expect(() => sampler.choose(state, {epoch: 0, epochs: 2, seed: 0, scores})).toThrow(error);
    const chosen = {rows: Int32Array.from(ALL)};
    expect(() => sampler.next(state, {epoch: 0, chosen, scores})).toThrow(error);
    expect(() => sampler.choose(state, {epoch: 0, epochs: 2, seed: 0, scores: {losses: ALL} as never})).toThrow(
      new TypeError(`${inner}: scores.losses must be a Float32Array, got [0, 1, 2, 3, 4, 5, 6, 7, …].`),
    );
  });

  it('refuses a size and an epoch that are none', () => {
    const sampler = build();
    for (const size of [0, -1, 1.5, Number.NaN]) {
      expect(() => sampler.init(size)).toThrow(new RangeError(`${inner}: size must be an integer >= 1, got ${size}.`));
    }
    const at = {epoch: 0, epochs: 2, seed: 0, scores: unseen()};
    expect(() => sampler.choose(sampler.init(SIZE), {...at, epoch: -1})).toThrow(
      new RangeError(`${inner}: epoch must be an integer >= 0, got -1.`),
    );
    expect(() => sampler.choose(sampler.init(SIZE), {...at, epochs: 0.5})).toThrow(
      new RangeError(`${inner}: epochs must be an integer >= 1, got 0.5.`),
    );
  });
});

function expectPlainData(value: unknown): void {
  if (ArrayBuffer.isView(value) || ['number', 'string', 'boolean'].includes(typeof value) || value === null) return;
  expect([Object.prototype, Array.prototype]).toContain(Object.getPrototypeOf(value));
  Object.values(value as object).forEach(expectPlainData);
}
