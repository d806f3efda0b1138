import {expect, it} from 'vitest';
import {figuresOf, tableOf} from '../../../../examples/shards/node/figures';

const result = (shard: number, given: object) => ({
  ...{shard, fingerprint: 'a', ms: [2, 9, 4], kept: [1, 3, 2], traffic: {sent: 300, received: 600, losses: 30}},
  ...given,
});

it('The figures of a run are those of its slowest shard, and of the mean shard in a step', () => {
  const weights = Float32Array.of(1, -2);
  const results = [result(0, {weights}), result(1, {ms: [5, 1, 1], kept: [0, 1, 2], fingerprint: 'b'})];
  const figures = figuresOf('threads', results, {weights: Float32Array.of(1, -2.5)}, 0.5);
  expect(figures).toEqual({
    ...{how: 'threads', shards: 2, accuracy: 0.5, msPerStep: 5, kept: [0, 3], difference: 0.2, isEqual: false},
    perStep: {sent: 100, received: 200, losses: 10},
  });
  expect(tableOf([figures])).toMatch(/threads +2 +5\.0 +0\.1 kB +0\.2 kB +0\.0 kB +0…3 +50\.0 % +2\.0e-1 +NO/);
});
