import {topK} from 'ohem-tfjs';
import {earlyStopped, hardestRows, infoBatch, kakurenbo, randomSubset, type Sampler, stale} from 'ohem-tfjs/samplers';
import {describe, expect, it} from 'vitest';

/**
 * A run whose losses halve in each epoch in which a row is run; row by row, so that mixed up losses
 * show.
 */
function run(sampler: Sampler, epochs: number) {
  const losses = new Float32Array(4).fill(Number.NaN);
  const times = [0, 0, 0, 0];
  let state = sampler.init(4);
  return Array.from({length: epochs}, (_, epoch) => {
    const chosen = sampler.choose(state, {epoch, epochs, seed: 0, scores: {losses: losses.slice()}});
    for (const row of [...chosen.rows, ...(chosen.rescore ?? [])]) {
      losses[row] = (row + 1) / 2 ** (times[row] as number);
      times[row] = (times[row] as number) + 1;
    }
    state = sampler.next(state, {epoch, chosen, scores: {losses}});
    return {rows: Array.from(chosen.rows), rescore: Array.from(chosen.rescore ?? [])};
  });
}

describe('stale', () => {
  it('rescores at the end of every few epochs, and chooses by the last loss of each row in between', () => {
    const half = stale(hardestRows({ratio: 0.5}), {every: 3});
    expect(run(half, 7)).toEqual([
      {rows: [0, 1, 2, 3], rescore: []},
      // Losses 1, 2, 3, 4.
      {rows: [2, 3], rescore: []},
      // 1, 2, 1.5, 2.
      {rows: [1, 3], rescore: [0, 2]},
      // 0.5, 1, 0.75, 1.
      {rows: [1, 3], rescore: []},
      // 0.5, 0.5, 0.75, 0.5.
      {rows: [0, 2], rescore: []},
      // 0.25, 0.5, 0.375, 0.5.
      {rows: [1, 3], rescore: [0, 2]},
      // 0.125, 0.25, 0.1875, 0.25.
      {rows: [1, 3], rescore: []},
    ]);
  });

  it('rescores every third epoch by default', () => {
    const rescored = run(stale(hardestRows({ratio: 0.5})), 9).map(({rescore}) => rescore.length > 0);
    expect(rescored).toEqual([false, false, true, false, false, true, false, false, true]);
  });

  it('passes on the rest of what the sampler chooses, its needs and its state', () => {
    const [inner, outer] = [kakurenbo({fraction: 0.5}), stale(kakurenbo({fraction: 0.5}), {every: 2})];
    const scores = {losses: Float32Array.of(1, 2), correct: Uint8Array.of(1, 1), confidence: Float32Array.of(1, 1)};
    const at = {epoch: 1, epochs: 9, seed: 0, scores};
    expect(outer.needs).toEqual(inner.needs);
    expect(outer.choose(outer.init(2), at)).toEqual(inner.choose(inner.init(2), at));
    const {rescore, ...others} = inner.choose(inner.init(2), {...at, epoch: 2});
    expect(rescore).toHaveLength(1);
    expect(outer.choose(outer.init(2), {...at, epoch: 2})).toEqual(others);
  });

  it('is what rescoreEvery does for earlyStopped', () => {
    const options = {window: 1, threshold: 0.3};
    expect(run(stale(earlyStopped(options), {every: 2}), 12)).toEqual(
      run(earlyStopped({...options, rescoreEvery: 2}), 12),
    );
  });

  it('refuses what is no sampler, one that never rescores, and options that are none', () => {
    const remedy = 'Selectors choose within a batch: pass hardestRows({ratio}) in place of topK({ratio}).';
    expect(() => stale(topK({ratio: 0.5}) as never)).toThrow(
      new TypeError(`stale: inner must be a sampler, got a function. ${remedy}`),
    );
    expect(() => stale(null as never)).toThrow(new TypeError(`stale: inner must be a sampler, got null. ${remedy}`));
    for (const inner of [infoBatch(), randomSubset({ratio: 0.5})] as Sampler[]) {
      expect(() => stale(inner)).toThrow(
        new TypeError(
          `stale: inner must be a sampler that rescores rows, got ${inner.samplerName}. Use it without stale.`,
        ),
      );
    }
    expect(() => stale(hardestRows({ratio: 0.5}), {every: 1})).toThrow(
      new RangeError(
        'stale: every must be an integer >= 2, got 1. Without stale a sampler rescores after every epoch.',
      ),
    );
  });
});
