import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {cast, gather, mul, tensor, tensor1d} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../../support/property';
import {EXACT, expectNothingLeft, expectSameAsCpu, random, trainOnWasm} from './sameAsCpu';

const size = fc.integer({min: 1, max: 9});

describe('Gathering on wasm', () => {
  trainOnWasm();

  it('is what it is on cpu, along any axis, rows or single numbers, of any type', async () => {
    const cases = fc.record({
      shape: fc.array(size, {minLength: 1, maxLength: 4}),
      axis: fc.integer({min: -4, max: 3}),
      indices: fc.array(fc.nat(8), {minLength: 1, maxLength: 12}),
      asMatrix: fc.boolean(),
      isWhole: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cases, ({shape, axis, indices, asMatrix, isWhole}) => {
        const along = axis % shape.length;
        const picked = indices.map((index) => index % (shape.at(along) as number));
        return expectSameAsCpu(
          () => {
            const x = random(shape, 3);
            const rows = tensor(picked, asMatrix ? [1, picked.length] : [picked.length], 'int32');
            return gather(isWhole ? cast(mul(x, 9), 'int32') : x, rows, along);
          },
          {tolerance: EXACT},
        );
      }),
      RUNS,
    );
  });

  it('is what it was, batch by batch', async () => {
    const indices = () => tensor([0, 2, 1, 1], [2, 2], 'int32');
    await expectSameAsCpu(() => gather(random([2, 3, 2], 4), indices(), 1, 1), {tolerance: EXACT});
  });

  it('refuses rows that are not there, in the words of tfjs', () => {
    const x = random([3, 2], 5);
    for (const row of [3, -1]) {
      const rows = tensor1d([0, row], 'int32');
      expectNothingLeft(() => {
        expect(() => gather(x, rows)).toThrow(`GatherV2: the index value ${row} is not in [0, 2]`);
      });
    }
  });
});
