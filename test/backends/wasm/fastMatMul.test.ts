import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {
  BatchMatMul,
  cast,
  concat,
  fill,
  fused,
  matMul,
  type Rank,
  reshape,
  type Tensor,
  type Tensor2D,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../../support/property';
import {productCases} from './productCases';
import {expectNothingLeft, expectSameAsCpu, random, runKernel, trainOnWasm} from './sameAsCpu';

describe('Products of matrices on wasm', () => {
  trainOnWasm();

  it('are what they are on cpu, transposed or not, one or several', async () => {
    await fc.assert(
      fc.asyncProperty(productCases, ({shapeA, shapeB, transposeA, transposeB}) =>
        expectSameAsCpu(() => matMul(random(shapeA, 1), random(shapeB, 2), transposeA, transposeB)),
      ),
      {...RUNS, numRuns: 300},
    );
  });

  it('with a bias and an activation are what they are on cpu, transposed or not, one or several', async () => {
    const cases = fc.record({
      product: productCases,
      isBiased: fc.boolean(),
      activation: fc.constantFrom('linear', 'relu', 'relu6', 'prelu', 'leakyrelu', 'sigmoid', 'elu'),
    });
    await fc.assert(
      fc.asyncProperty(cases, ({product, isBiased, activation}) => {
        const {shapeA, shapeB, transposeA, transposeB, columns} = product;
        return expectSameAsCpu(() =>
          fused.matMul({
            a: random(shapeA, 1),
            b: random(shapeB, 2),
            transposeA,
            transposeB,
            activation: activation as 'relu',
            ...(isBiased && {bias: random([columns], 3)}),
            ...(activation === 'prelu' && {preluActivationWeights: random([columns], 4)}),
          }),
        );
      }),
      {...RUNS, numRuns: 300},
    );
  });

  it('are right where the same memory is multiplied under two shapes', async () => {
    await expectSameAsCpu(() => {
      const [dy, tall, wide] = [random([6, 4], 1), random([6, 3], 2), random([3, 5], 3)] as Tensor2D[];
      const first = matMul(tall as Tensor2D, dy as Tensor, true);
      const second = matMul(wide as Tensor2D, reshape(dy as Tensor, [3, 8]), true);
      return concat([reshape(first, [-1]), reshape(second, [-1])]);
    });
    await expectSameAsCpu(() => {
      const [x, column, dy] = [random([6, 4], 1), random([4, 1], 2), random([6, 1], 3)] as [Tensor, Tensor, Tensor];
      return concat([matMul(x, column), matMul(dy, column, false, true)], 1);
    });
    await expectSameAsCpu(() => {
      const right = random([4, 6], 3) as Tensor2D;
      const [narrow, wide] = [random([5, 4], 1), random([5, 3], 2)] as Tensor2D[];
      const reshaped = reshape(right, [3, 8]) as Tensor2D;
      return concat([matMul(narrow as Tensor2D, right), matMul(wide as Tensor2D, reshaped)], 1);
    });
    await expectSameAsCpu(() => {
      const right = random([4, 6], 3) as Tensor2D;
      const [narrow, wide] = [random([5, 4], 1), random([5, 3], 2)] as Tensor2D[];
      const first = fused.matMul({a: narrow as Tensor2D, b: right, activation: 'relu'});
      return concat([first, fused.matMul({a: wide as Tensor2D, b: reshape(right, [3, 8]), activation: 'relu'})], 1);
    });
  });

  it('take a bias that was once a matrix', async () => {
    await expectSameAsCpu(() => {
      const bias = reshape(random([1, 6], 3), [6]);
      return fused.matMul({a: random([5, 4], 1), b: random([4, 6], 2), bias});
    });
  });

  it('add a bias of one row to each row, and refuse one of a column', async () => {
    for (const rows of [4, 9]) {
      for (const activation of ['linear', 'relu'] as const) {
        const product = (bias: Tensor) =>
          fused.matMul({a: random([rows, 5], 1), b: random([5, rows], 2), bias, activation});
        await expectSameAsCpu(() => product(random([rows], 3)));
        await expectSameAsCpu(() => product(random([1, rows], 3)));
        expectNothingLeft(() =>
          expect(() => tidy(() => product(random([rows, 1], 3)))).toThrow('only supports rank-1 bias'),
        );
      }
    }
  });

  it('of nothing are nothing', async () => {
    await expectSameAsCpu(() => matMul(zeros([0, 3]), zeros([4, 3]), false, true));
    await expectSameAsCpu(() => matMul(zeros([0, 2, 3]), zeros([0, 3, 4])));
    await expectSameAsCpu(() => fused.matMul({a: zeros([0, 3]), b: zeros([3, 4]), bias: zeros([4])}));
    // Here cpu gives a matrix for none, and the stock kernel traps.
    tidy(() => void expect(matMul(zeros([0, 9, 9]), zeros([9, 9])).size).toBe(0));
    await expectSameAsCpu(() => fused.matMul({a: zeros([3, 0]), b: zeros([3, 4]), transposeA: true}));
  });

  it('of no columns with no rows are zeros, or the bias', () => {
    tidy(() => {
      const [a, b] = [zeros<Rank.R2>([9, 0]), zeros<Rank.R2>([0, 9])];
      const found = Array.from({length: 20}, () => {
        // What the stock kernel leaves in the result.
        random([9, 9], 1).dispose();
        return [matMul(a, b), fused.matMul({a, b, bias: fill([9], 2)})].map((sums) => new Set(sums.dataSync()));
      });
      expect(found).toEqual(found.map(() => [new Set([0]), new Set([2])]));
    });
  });

  it('refuse what does not fit together, in the words of tfjs, and leave nothing behind', () => {
    const [a, b] = [random([2, 3], 1), random([4, 5], 2)];
    const whole = cast(a, 'int32');
    expectNothingLeft(() => {
      expect(() => matMul(a, b, false, true)).toThrow(
        'Error in matMul: inner shapes (3) and (5) of Tensors with shapes 2,3 and 4,5 and transposeA=false and transposeB=true must match.',
      );
      expect(() => runKernel(BatchMatMul, {a: whole, b: whole}, {transposeA: true, transposeB: false})).toThrow(
        'BatchMatMul for non non-float32 tensors not yet supported.',
      );
    });
  });
});
