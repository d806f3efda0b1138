import {cast, dispose, grad, keep, memory, mul, neg, type Tensor, tensor, tidy} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {surprise, surpriseOfSoftmax, throughSurprise} from '../../src/losses/logProbabilities';
import {columnSums} from '../../src/rows';
import {describeOnBackends} from '../support/backends';
import {RUNS} from '../support/property';

/** Runs `f` on a tape, where the kernels of the host do not run: by the ops of tfjs. */
function byOps(f: () => Tensor): Tensor {
  let result: Tensor | undefined;
  grad((x) => {
    result = keep(f());
    return mul(x, 2);
  })(tensor([1]));
  return result as Tensor;
}

const number = fc.oneof(
  fc.float({min: -4, max: 4, noNaN: true}),
  fc.constantFrom(0, 1, -0, 1e-30, 1e-40, 3e38, 80, -80, Number.NaN, Number.POSITIVE_INFINITY),
);
const matrices = fc.tuple(fc.integer({min: 1, max: 6}), fc.integer({min: 1, max: 15})).chain(([rows, columns]) =>
  fc.record({
    shape: fc.constantFrom<number[][]>([rows, columns], [rows, 1, columns]),
    targets: fc.array(number, {minLength: rows * columns, maxLength: rows * columns}),
    predicted: fc.array(number, {minLength: rows * columns, maxLength: rows * columns}),
  }),
);

describeOnBackends('One kernel of the host', () => {
  it.each([
    {of: 'losses of probabilities', f: (t: Tensor, p: Tensor) => surprise(t, p, false)},
    {of: 'losses of logits', f: (t: Tensor, p: Tensor) => surprise(t, p, true)},
    {of: 'gradients by the logits of a softmax', f: surpriseOfSoftmax},
    {of: 'gradients by probabilities', f: (d: Tensor, p: Tensor) => throughSurprise(d, p, false)},
    {of: 'sums of columns', f: (t: Tensor) => columnSums(t)},
  ])('computes $of with the bits of the ops', ({f}) =>
    fc.assert(
      fc.property(matrices, ({shape, targets, predicted}) =>
        tidy(() => {
          const [t, p] = [tensor(targets, shape), tensor(predicted, shape)];
          const before = memory().numTensors;
          const found = f(t, p);
          expect(memory().numTensors).toBe(before + 1);
          const expected = byOps(() => f(t, p));
          expect(found.shape).toEqual(expected.shape);
          expect([...found.dataSync()]).toEqual([...expected.dataSync()]);
          dispose(expected);
        }),
      ),
      RUNS,
    ),
  );

  it('knows the numbers that a cast left in another type', () => {
    tidy(() => {
      const t = cast(tensor([1, 0, 0, 1], [2, 2], 'int32'), 'float32');
      const p = neg(tensor([-1, -3, -2, -2], [2, 2]));
      expect([...surprise(t, p, false).dataSync()].map((loss) => loss.toFixed(4))).toEqual(['1.3863', '0.6931']);
    });
  });
});
