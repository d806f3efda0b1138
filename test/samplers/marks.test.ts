import fc from 'fast-check';
import {
  earlyStopped,
  easiestFirst,
  hardestRows,
  infoBatch,
  kakurenbo,
  type Sampler,
  selectiveBackprop,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {allRows} from '../support/tinySamplers';

/** Rows with and without a finite loss, of which one at least has one. */
const someFinite = fc
  .array(fc.oneof(fc.constant(Number.NaN), fc.double({min: 0, max: 9, noNaN: true})), {minLength: 1, maxLength: 12})
  .filter((losses) => losses.some(Number.isFinite));

const SAMPLERS: [string, () => Sampler][] = [
  ['earlyStopped', () => earlyStopped({window: 1, threshold: 1})],
  ['selectiveBackprop', () => selectiveBackprop({power: 9})],
  ['kakurenbo', () => kakurenbo({fraction: 0.9, decay: [[0, 1]], confidence: null})],
  ['kakurenbo with classes', () => kakurenbo({fraction: 0.9, decay: [[0, 1]]})],
  ['hardestRows', () => hardestRows({ratio: 0.1})],
  ['easiestFirst', () => easiestFirst({growEpochs: 100})],
  ['infoBatch', () => infoBatch({ratio: 0.9, threshold: {quantile: 0.9}})],
];

describe.each(SAMPLERS)('The rows that %s trains on', (_, make) => {
  it('hold one with a finite loss, if there is one', () => {
    const sampler = make() as Sampler<unknown>;
    fc.assert(
      fc.property(someFinite, (given) => {
        const losses = Float32Array.from(given);
        const [correct, confidence] = [new Uint8Array(losses.length).fill(1), new Float32Array(losses.length).fill(1)];
        const scores = {losses, correct, confidence};
        let state = sampler.init(losses.length);
        for (let epoch = 0; epoch < 5; epoch++) {
          const {rows} = sampler.choose(state, {epoch, epochs: 10, seed: 1, scores});
          expect(rows.some((row) => Number.isFinite(losses[row]))).toBe(true);
          state = sampler.next(state, {epoch, chosen: {rows: allRows(losses.length)}, scores});
        }
      }),
      {numRuns: 100},
    );
  });
});
