import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import {gather, grad, type Tensor1D, tensor, unsortedSegmentSum, zeros} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../../support/property';
import {expectNothingLeft, expectSameAsCpu, random, trainOnWasm} from './sameAsCpu';

const segments = (ids: number[], shape: number[] = [ids.length]) => tensor(ids, shape as [number], 'int32') as Tensor1D;

describe('UnsortedSegmentSum on wasm', () => {
  trainOnWasm();

  it('is what it is on cpu: rows of segments that are not there are left out', async () => {
    const cases = fc.record({
      ids: fc.array(fc.integer({min: -3, max: 12}), {minLength: 1, maxLength: 20}),
      row: fc.array(fc.integer({min: 1, max: 4}), {maxLength: 3}),
      numSegments: fc.integer({min: 1, max: 10}),
    });
    await fc.assert(
      fc.asyncProperty(cases, ({ids, row, numSegments}) =>
        expectSameAsCpu(() => unsortedSegmentSum(random([ids.length, ...row], 1), segments(ids), numSegments)),
      ),
      RUNS,
    );
  });

  it('is the gradient of a gather, along any axis and with indices of any rank', async () => {
    const size = fc.integer({min: 1, max: 5});
    const cases = fc.record({
      shape: fc.array(size, {minLength: 1, maxLength: 4}),
      axis: fc.nat(3),
      indices: fc.array(fc.nat(8), {minLength: 1, maxLength: 12}),
      asMatrix: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cases, ({shape, axis, indices, asMatrix}) => {
        const along = axis % shape.length;
        const picked = indices.map((index) => index % (shape[along] as number));
        const ids = () => segments(picked, asMatrix ? [1, picked.length] : [picked.length]);
        return expectSameAsCpu(() => {
          const pick = (x: ReturnType<typeof random>) => gather(x, ids(), along);
          const x = random(shape, 1);
          return grad(pick)(x, random(pick(x).shape, 2));
        });
      }),
      RUNS,
    );
  });

  it('gives float32 for whole numbers, as cpu does', async () => {
    await expectSameAsCpu(() => unsortedSegmentSum(tensor([5, 6, 7], [3], 'int32'), segments([1, 0, 1]), 2));
  });

  it('is zero for no rows, and for empty ones', async () => {
    for (const shape of [
      [0, 2],
      [2, 0],
    ] as const) {
      await expectSameAsCpu(() => unsortedSegmentSum(zeros([...shape]), segments(shape[0] === 0 ? [] : [0, 1]), 3), {
        ...(shape[0] === 0 && {expected: () => zeros([3, 2])}),
      });
    }
  });

  it('refuses segments that do not fit the rows, and a count that is none', () => {
    const x = random([2, 2], 1);
    const [two, three, matrix] = [segments([0, 1]), segments([0, 1, 1]), segments([0, 1, 1, 1], [2, 2])];
    expectNothingLeft(() => {
      expect(() => unsortedSegmentSum(x, three, 2)).toThrow(
        new TypeError('UnsortedSegmentSum: segmentIds must have shape [2], one segment for each row, got [3].'),
      );
      expect(() => unsortedSegmentSum(x, matrix, 2)).toThrow(
        new TypeError('UnsortedSegmentSum: segmentIds must have shape [2], one segment for each row, got [2, 2].'),
      );
      expect(() => unsortedSegmentSum(x, two, 0)).toThrow(
        new RangeError('UnsortedSegmentSum: numSegments must be an integer >= 1, got 0.'),
      );
    });
  });
});
