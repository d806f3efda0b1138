import fc from 'fast-check';
import {hardestRows} from 'ohem-tfjs/samplers';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../support/property';

function chosenOf(losses: readonly number[], ratio: number) {
  const sampler = hardestRows({ratio});
  const scores = {losses: Float32Array.from(losses)};
  return sampler.choose(sampler.init(losses.length), {epoch: 1, epochs: 9, seed: 0, scores});
}

describe('hardestRows', () => {
  it('trains on the largest losses of the data set, and runs the other rows forward', () => {
    const {rows, rescore} = chosenOf([0.9, 0.1, 2, 0.3, 0.9], 0.4);
    expect([Array.from(rows), Array.from(rescore ?? [])]).toEqual([
      [0, 2],
      [1, 3, 4],
    ]);
  });

  it('has max(1, round(ratio · N)) of the rows with a finite loss, and all others', () => {
    const loss = fc.oneof(fc.float({noNaN: true}), fc.constantFrom(0, -0, 1, Number.NaN));
    const losses = fc.array(loss, {minLength: 1, maxLength: 40});
    const property = fc.property(losses, fc.double({min: 0.01, max: 1, noNaN: true}), (values, ratio) => {
      const all = values.map((_, row) => row);
      const finite = all.filter((row) => Number.isFinite(values[row]));
      const sorted = finite.sort((a, b) => (values[b] as number) - (values[a] as number) || a - b);
      const hardest = sorted.slice(0, Math.max(1, Math.round(ratio * values.length)));
      const expected = all.filter((row) => hardest.includes(row) || !Number.isFinite(values[row]));
      expect(Array.from(chosenOf(values, ratio).rows)).toEqual(expected);
    });
    fc.assert(property, RUNS);
  });

  it('refuses options that are none', () => {
    expect(() => hardestRows({ratio: 0})).toThrow(new RangeError('hardestRows: ratio must be in (0, 1], got 0.'));
    expect(() => hardestRows({ratio: 0.5, delta: 2})).toThrow(
      new RangeError('hardestRows: delta must be in (0, 1], got 2.'),
    );
  });
});
