import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {add, mul, scalar, square, step, sub, type Tensor, tensor, tidy} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {Workbench} from '../../../src/backends/wasm/workbench';
import {ACTIVATION_GRADIENT, SGD_UPDATE, SQUARE_SUM} from '../../../src/wasmKernels';
import {RUNS} from '../../support/property';
import {expectNothingLeft, random, runKernel, trainOnWasm} from './sameAsCpu';

/** On both sides of a vector, and of the eight numbers of a turn. */
const shapes = fc.constantFrom<number[]>([], [0], [1], [3], [4], [5], [7], [8], [9], [31], [2, 3, 5], [64, 33], [9000]);

/** The gradients of tfjs. */
const slopes = {
  Relu: (dy: Tensor, y: Tensor) => mul(dy, step(y)),
  Tanh: (dy: Tensor, y: Tensor) => mul(sub(scalar(1), square(y)), dy),
  Sigmoid: (dy: Tensor, y: Tensor) => mul(dy, mul(y, sub(scalar(1), y))),
};

describe.each(['our own code', 'stock kernels'])('By %s', (by) => {
  trainOnWasm();
  const jobs = vi.spyOn(Workbench.prototype, 'jobsFor');
  beforeAll(() => {
    if (by === 'stock kernels') jobs.mockReturnValue(null);
  });
  afterAll(() => {
    expect(jobs).toHaveBeenCalled();
    jobs.mockReset();
  });

  it('squares are added up', () => {
    fc.assert(
      // The stock sum of no numbers is what lies there; a step asks only for those of many.
      fc.property(
        shapes.filter((shape) => !shape.includes(0)),
        (shape) => {
          const x = random(shape, 1);
          const right = (x.dataSync() as Float32Array).reduce((total, value) => total + value ** 2, 0);
          expectNothingLeft(() => {
            const total = runKernel(SQUARE_SUM, {x}, {});
            expect([total.dtype, total.shape]).toEqual(['float32', [1]]);
            expect(total.dataSync()[0]).toBeCloseTo(right, 2);
            expect(Math.abs((total.dataSync()[0] as number) - right)).toBeLessThanOrEqual(1e-5 * right);
            total.dispose();
          });
          x.dispose();
        },
      ),
      RUNS,
    );
  });

  it('the sum of squares is not finite if one number is not, wherever it is', () => {
    const odd = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.9e19);
    fc.assert(
      fc.property(fc.integer({min: 1, max: 40}), fc.nat(), odd, (size, at, value) => {
        const values = new Float32Array(size).fill(1);
        values[at % size] = value;
        const found = tidy(() => runKernel(SQUARE_SUM, {x: tensor(values)}, {}).dataSync()[0]);
        expect(Number.isFinite(found)).toBe(false);
      }),
      RUNS,
    );
  });

  it('weights are updated with the bits of the ops', () => {
    fc.assert(
      fc.property(shapes, fc.constantFrom(-0.1, -1e-8, 0, 3), (shape, given) => {
        const [weight, gradient, rate] = [random(shape, 1), random(shape, 2), tensor([given])];
        expectNothingLeft(() => {
          const next = runKernel(SGD_UPDATE, {weight, gradient, rate}, {});
          const right = tidy(() => add(mul(scalar(given), gradient), weight));
          expect(next.shape).toEqual(shape);
          expect(next.dataSync()).toEqual(right.dataSync());
          for (const result of [next, right]) result.dispose();
        });
        for (const input of [weight, gradient, rate]) input.dispose();
      }),
      RUNS,
    );
  });

  describe.each(Object.entries(slopes))('the gradient of a %s', (activation, gradientOf) => {
    it('has the bits of that of tfjs', () => {
      fc.assert(
        fc.property(shapes, (shape) => {
          const [dy, y] = [random(shape, 1), random(shape, 2)];
          expectNothingLeft(() => {
            const gradient = runKernel(ACTIVATION_GRADIENT, {dy, y}, {activation});
            const right = tidy(() => gradientOf(dy, y));
            expect(gradient.shape).toEqual(shape);
            expect(gradient.dataSync()).toEqual(right.dataSync());
            for (const result of [gradient, right]) result.dispose();
          });
          for (const input of [dy, y]) input.dispose();
        }),
        RUNS,
      );
    });

    it('is that of tfjs at zeros and numbers that are not finite, wherever they are', () => {
      const odd = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45, -2];
      const pairs = odd.flatMap((dy) => odd.map((y) => [dy, y] as const));
      tidy(() => {
        const [dy, y] = [tensor(pairs.map(([dy]) => dy)), tensor(pairs.map(([, y]) => y))];
        const gradient = runKernel(ACTIVATION_GRADIENT, {dy, y}, {activation});
        expect(gradient.dataSync()).toEqual(gradientOf(dy, y).dataSync());
      });
    });
  });
});
