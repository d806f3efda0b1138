import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {globalTopK, mapSelector, type ShardLosses, topK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RUNS, randomFrom} from '../support/property';
import {inLockStep, shardLosses, shardRows} from '../support/shards';
import {leftBy} from '../support/tensors';

const keptOf = ({indices, weights}: {indices: tf.Tensor; weights: tf.Tensor}) => {
  const counts = weights.dataSync();
  return [...indices.dataSync()].filter((_, place) => (counts[place] as number) > 0);
};

/** The rows that shards keep, numbered over all of them. */
const unionOf = (losses: readonly number[], sizes: readonly number[], k: number, valid?: readonly number[]) =>
  tf.tidy(() => {
    const parts = shardRows(sizes);
    const kept = inLockStep(sizes.length, (shard, exchange) => {
      const {begin, size} = parts[shard] as (typeof parts)[number];
      const select = globalTopK({k, shard, shards: sizes.length, exchange});
      const context = valid && {valid: tf.tensor1d(valid.slice(begin, begin + size))};
      return keptOf(select(tf.tensor1d(losses.slice(begin, begin + size)), context)).map((row) => row + begin);
    });
    return kept.flat().sort((a, b) => a - b);
  });

describeOnBackends('globalTopK', () => {
  const loss = fc.oneof({weight: 6, arbitrary: fc.integer({min: -2, max: 5})}, fc.constantFrom(Number.NaN, Infinity));
  const sharded = fc.array(fc.integer({min: 1, max: 9}), {minLength: 1, maxLength: 5}).chain((sizes) => {
    const rows = sizes.reduce((total, size) => total + size, 0);
    const perRow = <T>(value: fc.Arbitrary<T>) => fc.array(value, {minLength: rows, maxLength: rows});
    return fc.tuple(
      fc.constant(sizes),
      perRow(loss),
      perRow(fc.constantFrom(0, 1, 1)),
      fc.integer({min: 1, max: rows}),
    );
  });

  it('keeps on all shards together what topK keeps of the whole batch, ties included', () => {
    fc.assert(
      fc.property(sharded, ([sizes, losses, valid, k]) => {
        const whole = tf.tidy(() => keptOf(topK({k})(tf.tensor1d(losses), {valid: tf.tensor1d(valid)})));
        expect(unionOf(losses, sizes, k, valid)).toEqual(whole.sort((a, b) => a - b));
      }),
      RUNS,
    );
  });

  it('does so for more rows than the host sorts', () => {
    const random = randomFrom(3);
    const losses = Array.from({length: 9000}, () => Math.floor(random() * 500));
    const whole = tf.tidy(() => keptOf(topK({k: 700})(tf.tensor1d(losses))));
    expect(unionOf(losses, [4100, 4900], 700)).toEqual(whole.sort((a, b) => a - b));
  });

  it('has the threshold, and one place of weight 0 if the shard keeps nothing', () => {
    const select = globalTopK({
      k: 2,
      shard: 0,
      shards: 2,
      exchange: (mine) => [mine, shardLosses([9, 8, 7], {shard: 1})],
    });
    const {indices, weights, threshold} = select(tf.tensor1d([1, 2]));
    expect([...indices.dataSync(), ...weights.dataSync()]).toEqual([0, 0]);
    expect(threshold).toEqual({loss: 8, counts: [0, 2], rows: 5});
  });

  it('exchanges no loss for a shard without rows, and keeps nothing there', () => {
    let given: ShardLosses | undefined;
    const exchange = (mine: ShardLosses) => {
      given = mine;
      return [mine, shardLosses([9, 8, 7], {shard: 1})];
    };
    const {threshold, ...selection} = globalTopK({k: 2, shard: 0, shards: 2, exchange})(tf.tensor1d([]));
    expect(given).toEqual({version: 1, shard: 0, step: 0, k: 2, rows: 0, usable: 0, losses: new Float32Array(0)});
    expect(keptOf(selection)).toEqual([]);
    expect(threshold).toEqual({loss: 8, counts: [0, 2], rows: 3});
    const alone = globalTopK({k: 1, shard: 0, shards: 1, exchange: (mine) => [mine]});
    expect(() => alone(tf.tensor1d([]))).toThrow('globalTopK: k must be <= 0, the rows of all shards, got 1.');
  });

  const select = (returned: (mine: ShardLosses) => unknown) =>
    globalTopK({k: 2, shard: 0, shards: 2, exchange: returned as (mine: ShardLosses) => ShardLosses[]});
  const other = shardLosses([4, 1], {shard: 1, step: 7});

  it.each<[string, (mine: ShardLosses) => unknown, string]>([
    ['too little', (mine) => [mine], 'the result of exchange must have the losses of 2 shards, got 1.'],
    ['nothing', () => undefined, 'the result of exchange must be a list with the losses of each shard, got undefined.'],
    [
      'a promise',
      async (mine) => [mine, other],
      'the result of exchange must be a list with the losses of each shard, got a promise. To await other shards, use hardestLosses.',
    ],
    [
      'what is late',
      (mine) => [mine, {...other, step: 6}],
      'the result of exchange[1].step must be 7, got 6. All shards take the same steps, and exchange in each of them.',
    ],
    [
      'its own losses of another time',
      (mine) => [{...mine, losses: Float32Array.of(3, 1)}, other],
      'the result of exchange[0] must be the losses that this shard gave, got 1 for 2 at position 1.',
    ],
    ['another order', (mine) => [other, mine], 'the result of exchange[0].shard must be 0, got 1.'],
    [
      'half of the losses',
      (mine) => [mine, {...other, losses: Float32Array.of(4)}],
      'the result of exchange[1].losses must be the 2 largest of 2, got 1 of them.',
    ],
    [
      'another version',
      (mine) => [mine, {...other, version: 3}],
      'the result of exchange[1].version must be 1, got 3.',
    ],
    ['another k', (mine) => [mine, {...other, k: 9}], 'the result of exchange[1].k must be 2, got 9.'],
  ])('refuses an exchange that returns %s, and leaks nothing', (_, returned, message) => {
    const losses = tf.tensor1d([2, 3]);
    const refused = () => expect(() => select(returned)(losses, {step: 7})).toThrow(`globalTopK: ${message}`);
    expect(leftBy(() => void refused())).toBe(0);
  });

  it('refuses another k or step on every shard, which names the first shard that differs from it', () => {
    const messagesOf = (of: {k: number; step: number}[]) => {
      const tops = of.map((own, shard) => shardLosses([3, 2, 1], {...own, shard}));
      return of.map(({k, step}, shard) => {
        const own = globalTopK({k, shard, shards: of.length, exchange: () => tops});
        try {
          tf.tidy(() => own(tf.tensor1d([3, 2, 1]), {step}));
        } catch (error) {
          return (error as Error).message;
        }
        return undefined;
      });
    };
    const [of, sameK] = ['globalTopK: the result of exchange', 'Pass the same k in all shards.'];
    const ks = [2, 2, 3].map((k) => ({k, step: 0}));
    expect(messagesOf(ks)).toEqual([
      `${of}[2].k must be 2, got 3. ${sameK}`,
      `${of}[2].k must be 2, got 3. ${sameK}`,
      `${of}[0].k must be 3, got 2. ${sameK}`,
    ]);
    const [first, second] = messagesOf([7, 8].map((step) => ({k: 2, step})));
    expect(first).toContain(`${of}[1].step must be 7, got 8.`);
    expect(second).toContain(`${of}[0].step must be 8, got 7.`);
  });

  it('refuses a k of more than all rows on every shard', () => {
    const tops = [shardLosses([2, 1], {k: 6}), shardLosses([3], {k: 6, shard: 1})];
    for (const shard of [0, 1]) {
      const own = globalTopK({k: 6, shard, shards: 2, exchange: () => tops});
      expect(() => own(tf.tensor1d(shard === 0 ? [2, 1] : [3]))).toThrow(
        'globalTopK: k must be <= 3, the rows of all shards, got 6.',
      );
    }
  });

  it('refuses wrong options by name', () => {
    const exchange = (mine: ShardLosses) => [mine];
    const build = (options: object) => () => globalTopK({k: 2, shard: 0, shards: 1, exchange, ...options});
    expect(build({k: 0})).toThrow('globalTopK: k must be an integer >= 1, got 0.');
    expect(build({shard: 1})).toThrow('globalTopK: shard must be < 1, the number of shards, got 1.');
    expect(build({shard: -1})).toThrow('globalTopK: shard must be an integer >= 0, got -1.');
    expect(build({shards: 1.5})).toThrow('globalTopK: shards must be an integer >= 1, got 1.5.');
    expect(build({exchange: 3})).toThrow('globalTopK: exchange must be a function from the losses of this shard');
    expect(build({ratio: 1})).toThrow('globalTopK: options must have the names k, shard, shards, exchange, got ratio.');
  });

  it('is wrapped by a map that leaves the selection as it is, and by no other', () => {
    const wrapped = mapSelector(
      select((mine) => [mine, {...other, step: 0}]),
      (selection) => selection,
    );
    expect(wrapped(tf.tensor1d([2, 3])).threshold).toEqual({loss: 3, counts: [1, 1], rows: 4});
    const halved = mapSelector(
      select((mine) => [mine, {...other, step: 0}]),
      ({indices, weights}) => ({
        indices,
        weights: tf.mul(weights, 0.5),
      }),
    );
    expect(() => halved(tf.tensor1d([2, 3]))).toThrow(
      'mapSelector: f must return a selection over shards as it is, got another one.',
    );
  });
});
