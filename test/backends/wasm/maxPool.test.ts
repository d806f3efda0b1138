import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import {
  backend_util,
  cast,
  dispose,
  fill,
  MaxPool3D,
  MaxPool3DGrad,
  MaxPoolGrad,
  maximum,
  mul,
  round,
  setBackend,
  sum,
  type Tensor,
  tensor,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../../support/property';
import {EXACT, expectNothingLeft, expectSameAsCpu, ROUNDED, random, runKernel, trainOnWasm} from './sameAsCpu';

const upTo = (max: number) => fc.integer({min: 1, max});
const pair = (max: number) => fc.tuple(upTo(max), upTo(max));
const rounding = fc.constantFrom<'floor' | 'round' | 'ceil'>('floor', 'round', 'ceil');

/** Numbers of both signs, few of them different: with several that are the largest of a window. */
const coarse = (shape: number[]) => {
  const x = random(shape, 1);
  return round(
    tensor(
      x.dataSync().map((value) => 2.4 * value),
      shape,
    ),
  );
};
const isFull = ({outShape}: {outShape: number[]}) => outShape.every((length) => length >= 1);

const images = fc
  .record({
    batchSize: upTo(3),
    size: pair(8),
    channels: upTo(4),
    filterSize: pair(4),
    strides: pair(3),
    pad: fc.constantFrom<'same' | 'valid' | 0 | 1>('same', 'valid', 0, 1),
    rounding,
  })
  .map(({batchSize, size, channels, filterSize, strides, pad, rounding}) => {
    const shape: [number, number, number, number] = [batchSize, ...size, channels];
    const attrs = {filterSize, strides, pad, ...(typeof pad === 'number' && {dimRoundingMode: rounding})};
    const {outShape} = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, attrs.dimRoundingMode);
    return {shape, outShape, attrs};
  })
  .filter(isFull);

const volumes = fc
  .record({
    batchSize: upTo(2),
    size: fc.tuple(upTo(5), upTo(5), upTo(5)),
    channels: upTo(3),
    // The cpu backend mixes up the height and the width of a window.
    filterSize: pair(3).map(([depth, side]): [number, number, number] => [depth, side, side]),
    strides: fc.tuple(upTo(3), upTo(3), upTo(3)),
    pad: fc.constantFrom<'same' | 'valid' | 0 | 1>('same', 'valid', 0, 1),
    rounding,
  })
  .map(({batchSize, size, channels, filterSize, strides, pad, rounding}) => {
    const shape: [number, number, number, number, number] = [batchSize, ...size, channels];
    const attrs = {filterSize, strides, pad, ...(typeof pad === 'number' && {dimRoundingMode: rounding})};
    const {outShape} = backend_util.computePool3DInfo(shape, filterSize, strides, 1, pad, attrs.dimRoundingMode);
    return {shape, outShape, attrs};
  })
  .filter(isFull);

describe('Max pooling on wasm', () => {
  trainOnWasm();

  const gradient = (kernel: string, shape: number[], outShape: number[], attrs: object): Tensor => {
    const input = coarse(shape);
    return runKernel(kernel, {dy: random(outShape, 2), input, output: random(outShape, 3)}, attrs);
  };

  it('has the gradient of cpu, also where all numbers are negative or several are the largest', async () => {
    await fc.assert(
      fc.asyncProperty(images, ({shape, outShape, attrs}) =>
        expectSameAsCpu(() => gradient(MaxPoolGrad, shape, outShape, attrs), {tolerance: ROUNDED}),
      ),
      {...RUNS, numRuns: 300},
    );
  });

  it('of volumes has the values and the gradient of cpu', async () => {
    await fc.assert(
      fc.asyncProperty(volumes, async ({shape, outShape, attrs}) => {
        const pooled = {...attrs, dataFormat: 'NDHWC'};
        // Of a window that is all padding it is minus infinity.
        const pool = () => maximum(runKernel(MaxPool3D, {x: coarse(shape)}, pooled), -100);
        await expectSameAsCpu(pool, {tolerance: EXACT});
        await expectSameAsCpu(() => gradient(MaxPool3DGrad, shape, outShape, attrs));
      }),
      {...RUNS, numRuns: 300},
    );
  });

  it('passes over what is not a number, as cpu does', async () => {
    const x = [Number.NaN, -1, Number.NEGATIVE_INFINITY, -2, Number.NaN, Number.NaN];
    const attrs = {filterSize: [1, 2], strides: [1, 2], pad: 'valid'};
    await expectSameAsCpu(() => {
      const output = random([1, 1, 3, 1], 3);
      return runKernel(MaxPoolGrad, {dy: random([1, 1, 3, 1], 2), input: tensor(x, [1, 1, 6, 1]), output}, attrs);
    });
  });

  it('has its gradient in the first of equal maxima, for any numbers, 0 and -0 among them', async () => {
    const numbers = [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, -0, 0, 1e-45, -1e-45, -2, 1, 3e38];
    const cases = fc.record({
      filterSize: fc.constantFrom([2, 2], [1, 2], [3, 2], [3, 3]),
      strides: pair(3),
      pad: fc.constantFrom('valid', 'same'),
      values: fc.array(fc.constantFrom(...numbers), {minLength: 60, maxLength: 60}),
    });
    await fc.assert(
      fc.asyncProperty(cases, ({values, ...attrs}) => {
        const shape: [number, number, number, number] = [1, 5, 6, 2];
        const {filterSize, strides, pad} = attrs as {
          filterSize: [number, number];
          strides: [number, number];
          pad: 'same';
        };
        const {outShape} = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad);
        const run = () =>
          runKernel(
            MaxPoolGrad,
            {dy: random(outShape, 2), input: tensor(values, shape), output: random(outShape, 3)},
            attrs,
          );
        return expectSameAsCpu(run, {tolerance: ROUNDED});
      }),
      {...RUNS, numRuns: 300},
    );
  });

  it('of integers has the gradient of cpu', async () => {
    const attrs = {filterSize: 2, strides: 2, pad: 'valid'};
    const input = () => cast(mul(coarse([2, 4, 4, 3]), 7), 'int32');
    await expectSameAsCpu(() =>
      runKernel(MaxPoolGrad, {dy: random([2, 2, 2, 3], 2), input: input(), output: random([2, 2, 2, 3], 3)}, attrs),
    );
  });

  it('reads data of another backend, for which the memory of wasm must grow', async () => {
    const [shape, outShape] = [
      [1, 3000, 3000, 1],
      [1, 1500, 1500, 1],
    ];
    const attrs = {filterSize: 2, strides: 2, pad: 'valid'};
    await setBackend('cpu');
    const [dy, input] = [fill(outShape, 3), fill(shape, -1)];
    await setBackend('wasm');
    const gradient = runKernel(MaxPoolGrad, {dy, input, output: dy}, attrs);
    expect([...gradient.dataSync().subarray(0, 4), sum(gradient).dataSync()[0]]).toEqual([3, 0, 3, 0, 3 * 1500 * 1500]);
    dispose([dy, input, gradient]);
  });

  it('refuses a gradient of another shape, and leaves nothing behind', () => {
    const [image, volume] = [random([1, 4, 4, 2], 1), random([1, 4, 4, 4, 2], 1)];
    const attrs = {filterSize: 2, strides: 2, pad: 'valid'};
    expectNothingLeft(() => {
      expect(() => runKernel(MaxPoolGrad, {dy: image, input: image, output: image}, attrs)).toThrow(
        new TypeError('MaxPoolGrad: dy must have the shape of the pooled input, [1, 2, 2, 2], got [1, 4, 4, 2].'),
      );
      expect(() => runKernel(MaxPool3DGrad, {dy: volume, input: volume, output: volume}, attrs)).toThrow(
        new TypeError(
          'MaxPool3DGrad: dy must have the shape of the pooled input, [1, 2, 2, 2, 2], got [1, 4, 4, 4, 2].',
        ),
      );
    });
  });
});
