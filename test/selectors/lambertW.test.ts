import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {expOfMinusW} from '../../src/selectors/lambertW';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expOfMinusWInFloat64} from '../support/lambertW';
import {RUNS} from '../support/property';
import {valuesOf} from '../support/tensors';

/** What a weight may be off by. */
const NEAR = {absolute: 3e-6, relative: 0};

const found = (numbers: readonly number[]) => valuesOf(() => expOfMinusW(tf.tensor1d([...numbers])));
const expected = (numbers: readonly number[]) => numbers.map((x) => expOfMinusWInFloat64(Math.fround(x)));

describeOnBackends('exp(−W)', () => {
  it('is that of float64 from the branch point to 1e30', () => {
    const property = fc.property(
      fc.array(fc.double({min: -8, max: 30, noNaN: true}), {minLength: 1, maxLength: 50}),
      fc.array(fc.double({min: -1, max: 0, noNaN: true}), {minLength: 1, maxLength: 50}),
      (exponents, places) => {
        const behindTheBranch = exponents.map((exponent) => 10 ** exponent - 1 / Math.E);
        const below0 = places.map((place) => place / Math.E);
        const all = [...behindTheBranch, ...below0];
        expectClose(found(all), expected(all), NEAR);
      },
    );
    fc.assert(property, RUNS);
  });

  it('is the inverse of what it is of: W = x · exp(−W) has W e^W = x', () => {
    for (const x of [-0.36, -0.1, 1e-3, 0.5, Math.E, 100]) {
      const w = x * (found([x])[0] as number);
      expect(Math.abs(w * Math.exp(w) - x)).toBeLessThan(3e-6 * Math.max(1, Math.abs(x) * 10));
    }
  });

  it('is e at the branch point and below, 1 at 0, and finite for any loss', () => {
    const values = found([-1 / Math.E, -1, 0, 1e38, Number.MAX_VALUE]);
    expectClose(values.slice(0, 3), [Math.E, Math.E, 1], NEAR);
    expect(values.slice(3).every((value) => value > 0 && value < 1e-27)).toBe(true);
  });
});
