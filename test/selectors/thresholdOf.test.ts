import {type ShardLosses, thresholdOf} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {shardLosses} from '../support/shards';

const of = (shard: number, losses: number[], given: Partial<ShardLosses> = {}) =>
  shardLosses(losses, {shard, k: 3, ...given});

describe('thresholdOf', () => {
  it('counts the rows of each shard among the hardest, ties to the lower shard', () => {
    expect(thresholdOf([of(0, [5, 2, 1]), of(1, [4, 2]), of(2, [2])], {k: 3, shards: 3})).toEqual({
      loss: 2,
      counts: [2, 1, 0],
      rows: 6,
    });
  });

  it('takes k alone, for as many shards as there are losses of', () => {
    const tops = [of(0, [5, 2, 1]), of(1, [4, 2]), of(2, [2])];
    expect(thresholdOf(tops, 3)).toEqual(thresholdOf(tops, {k: 3, shards: 3}));
    expect(() => thresholdOf(tops, 2.5)).toThrow('thresholdOf: k must be an integer >= 1, got 2.5.');
  });

  it('takes −0 and 0 for equal', () => {
    expect(thresholdOf([of(0, [-0, -0]), of(1, [0, 0])], {k: 3, shards: 2}).counts).toEqual([2, 1]);
  });

  it('keeps all usable rows if they are fewer than k, and none of none', () => {
    const few = thresholdOf([of(0, [], {rows: 4, usable: 0}), of(1, [7], {rows: 4, usable: 1})], {k: 3, shards: 2});
    expect(few).toEqual({loss: 7, counts: [0, 1], rows: 8});
    const none = thresholdOf([of(0, [], {rows: 4}), of(1, [], {rows: 4})], {k: 3, shards: 2});
    expect(none).toEqual({loss: Number.POSITIVE_INFINITY, counts: [0, 0], rows: 8});
  });

  it('takes what a structured clone made', () => {
    expect(thresholdOf(structuredClone([of(0, [1]), of(1, [2, 3].reverse())]), {k: 3, shards: 2}).counts).toEqual([
      1, 2,
    ]);
  });

  it.each<[string, unknown, string]>([
    ['a promise', Promise.resolve([]), 'tops must be a list with the losses of each shard, got a promise.'],
    ['no list', {0: of(0, [1])}, 'tops must be a list with the losses of each shard, got {0}.'],
    ['nothing', [], 'tops must have the losses of 2 shards, got 0.'],
    ['losses without those of the last shard', [of(0, [3, 2, 1])], 'tops must have the losses of 2 shards, got 1.'],
    [
      'more losses than shards',
      [0, 1, 2].map((i) => of(i, [3, 2, 1])),
      'tops must have the losses of 2 shards, got 3.',
    ],
    ['a hole', [of(0, [1]), undefined], 'tops[1] must be {losses, rows, usable, …} from a shard, got undefined.'],
    [
      'what JSON makes of them',
      [JSON.parse(JSON.stringify(of(0, [1]))), of(1, [1])],
      'tops[0] must be {losses, rows, usable, …} from a shard, got {losses, version, shard, step, k, rows, usable}. ' +
        'After JSON, make a Float32Array of losses again: send Array.from(losses).',
    ],
    [
      'another version',
      [of(0, [1, 1, 1], {version: 2}), of(1, [1])],
      'tops[0].version must be 1, got 2. Run one version of ohem',
    ],
    ['another order', [of(1, [1, 1, 1]), of(0, [1])], 'tops[0].shard must be 0, got 1. Put the losses in the order'],
    ['another step', [of(0, [1, 1, 1]), of(1, [1], {step: 4})], 'tops[1].step must be 0, got 4. All shards take'],
    ['another k', [of(0, [1, 1, 1], {k: 2}), of(1, [1])], 'tops[0].k must be 3, got 2. Pass the same k in all shards.'],
    [
      'another model',
      [of(0, [1, 1, 1], {model: 7}), of(1, [1], {model: 8})],
      'tops[1].model must be 7, got 8. Build the same model in all shards: its layers, their options and the shapes of its ' +
        'weights count, names do not.',
    ],
    [
      'fewer losses than usable rows',
      [of(0, [3, 2, 1]), of(1, [1], {rows: 5, usable: 2})],
      'tops[1].losses must be the 2 largest of 2, got 1 of them. They were truncated or mixed up in transport.',
    ],
    [
      'more usable rows than rows',
      [of(0, [3, 2, 1], {rows: 2}), of(1, [1])],
      'tops[0].usable must be in [0, 2], got 3.',
    ],
    [
      'another order of losses',
      [of(0, [1, 2, 1]), of(1, [1])],
      'tops[0].losses must be finite, largest first, got 2 at position 1',
    ],
    [
      'NaN',
      [of(0, [1, Number.NaN, 1]), of(1, [1])],
      'tops[0].losses must be finite, largest first, got NaN at position 1',
    ],
    ['k more than all rows', [of(0, [1]), of(1, [1])], 'k must be <= 2, the rows of all shards, got 3.'],
  ])('refuses %s by name', (_, tops, message) => {
    expect(() => thresholdOf(tops as ShardLosses[], {k: 3, shards: 2})).toThrow(`thresholdOf: ${message}`);
  });

  it('refuses wrong options by name', () => {
    const found = (options: object) => () => thresholdOf([of(0, [1])], options as {k: number; shards: number});
    expect(found({k: 0, shards: 1})).toThrow('thresholdOf: k must be an integer >= 1, got 0.');
    expect(found({k: 1})).toThrow('thresholdOf: shards must be an integer >= 1, got undefined.');
    expect(found({k: 1, shard: 1})).toThrow('thresholdOf: options must have the names k, shards, got shard.');
  });
});
