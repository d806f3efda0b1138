import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {DepthwiseConv2dNativeBackpropFilter, stridedSlice, tensor, zeros} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../../support/property';
import {type ConvolutionCase, convolutionCases, undilated} from './convolutionCases';
import {expectNothingLeft, expectSameAsCpu, random, runKernel, trainOnWasm} from './sameAsCpu';

const KERNEL = DepthwiseConv2dNativeBackpropFilter;
const gradient = ({inputShape, filterShape, outShape, attrs}: ConvolutionCase) =>
  runKernel(KERNEL, {x: random(inputShape, 1), dy: random(outShape, 2)}, {...attrs, filterShape});

describe('DepthwiseConv2dNativeBackpropFilter on wasm', () => {
  trainOnWasm();

  it('is what it is on cpu, for any shape, number of filters, stride, padding and rounding', async () => {
    await fc.assert(
      fc.asyncProperty(convolutionCases({isDepthwise: true}), (shapes) => expectSameAsCpu(() => gradient(shapes))),
      {...RUNS, numRuns: 600},
    );
  });

  it('is the part of the gradient of a larger filter that a dilated one has, which the cpu backend ignores', async () => {
    await fc.assert(
      fc.asyncProperty(convolutionCases({isDepthwise: true, dilations: [1, 2, 3]}), (shapes) => {
        const {filterShape, attrs} = shapes;
        const expected = () => {
          const whole = undilated(shapes);
          return stridedSlice(gradient(whole), [0, 0, 0, 0], whole.filterShape, [...attrs.dilations, 1, 1]);
        };
        expect(filterShape).toHaveLength(4);
        return expectSameAsCpu(() => gradient(shapes), {expected});
      }),
      RUNS,
    );
  });

  it('is zero where the convolution reads nothing but padding', async () => {
    const attrs = {strides: [9, 9], pad: 3, dilations: 1, filterShape: [1, 1, 2, 2]};
    await expectSameAsCpu(() => runKernel(KERNEL, {x: random([1, 3, 3, 2], 1), dy: random([1, 1, 1, 4], 2)}, attrs));
  });

  it('is zero for no images', async () => {
    const attrs = {strides: 1, pad: 'valid', dilations: 1, filterShape: [2, 2, 3, 1]};
    await expectSameAsCpu(() => runKernel(KERNEL, {x: zeros([0, 5, 5, 3]), dy: zeros([0, 4, 4, 3])}, attrs));
  });

  it('does not hide what is not finite', () => {
    const attrs = {strides: 1, pad: 'same', dilations: 1, filterShape: [3, 3, 2, 1]};
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const values = random([1, 4, 4, 2], 1).dataSync();
      values[10] = value;
      const gradient = runKernel(KERNEL, {x: tensor(values, [1, 4, 4, 2]), dy: random([1, 4, 4, 2], 2)}, attrs);
      // Each kernel position reads this pixel, of the first channel.
      const [first, second] = [0, 1].map((channel) => [...gradient.dataSync()].filter((_, i) => i % 2 === channel));
      expect(first?.some(Number.isFinite)).toBe(false);
      expect(second?.every(Number.isFinite)).toBe(true);
    }
  });

  it('refuses shapes that do not fit together, and leaves nothing behind', () => {
    const attrs = {strides: 1, pad: 'valid', dilations: 1, filterShape: [2, 2, 3, 2]};
    const [x, dy] = [random([2, 5, 5, 3], 1), random([2, 4, 4, 3], 2)];
    expectNothingLeft(() => {
      expect(() => runKernel(KERNEL, {x, dy}, attrs)).toThrow(
        new TypeError(`${KERNEL}: dy must have the shape of the convolution, [2, 4, 4, 6], got [2, 4, 4, 3].`),
      );
      expect(() => runKernel(KERNEL, {x, dy}, {...attrs, filterShape: [2, 2, 1, 1]})).toThrow(
        new TypeError(`${KERNEL}: the filter must have the 3 channels of the input, got 1.`),
      );
    });
  });
});
