import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {DepthwiseConv2dNativeBackpropInput, pad, reshape, slice, type Tensor, zeros} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../../support/property';
import {type ConvolutionCase, convolutionCases, undilated} from './convolutionCases';
import {expectNothingLeft, expectSameAsCpu, random, runKernel, trainOnWasm} from './sameAsCpu';

const KERNEL = DepthwiseConv2dNativeBackpropInput;
const gradient = ({inputShape, outShape, attrs}: ConvolutionCase, filter: Tensor) =>
  runKernel(KERNEL, {dy: random(outShape, 1), filter}, {...attrs, inputShape});

/** The filter with zeros between its pixels, which an undilated convolution gives the same with. */
function withZeros(filter: Tensor, [rows, columns]: [number, number]): Tensor {
  const [height, width, channels, filters] = filter.shape as [number, number, number, number];
  const inner = channels * filters;
  const spread = pad(reshape(filter, [height, 1, width, inner]), [
    [0, 0],
    [0, rows - 1],
    [0, 0],
    [0, (columns - 1) * inner],
  ]);
  const whole = reshape(spread, [height * rows, width * columns, channels, filters]);
  return slice(whole, [0, 0, 0, 0], [(height - 1) * rows + 1, (width - 1) * columns + 1, channels, filters]);
}

describe('DepthwiseConv2dNativeBackpropInput on wasm', () => {
  trainOnWasm();

  it('is what it is on cpu, for any shape, number of filters, stride, padding and rounding', async () => {
    await fc.assert(
      fc.asyncProperty(convolutionCases({isDepthwise: true}), (shapes) =>
        expectSameAsCpu(() => gradient(shapes, random(shapes.filterShape, 2))),
      ),
      {...RUNS, numRuns: 600},
    );
  });

  it('is that of a filter with zeros between its pixels where it is dilated, which the cpu backend ignores', async () => {
    await fc.assert(
      fc.asyncProperty(convolutionCases({isDepthwise: true, dilations: [1, 2, 3]}), (shapes) => {
        const filter = () => random(shapes.filterShape, 2);
        return expectSameAsCpu(() => gradient(shapes, filter()), {
          expected: () => gradient(undilated(shapes), withZeros(filter(), shapes.attrs.dilations)),
        });
      }),
      RUNS,
    );
  });

  it('is zero for no images', async () => {
    const attrs = {strides: 1, pad: 'valid', dilations: 1, inputShape: [0, 5, 5, 3]};
    await expectSameAsCpu(() => runKernel(KERNEL, {dy: zeros([0, 4, 4, 3]), filter: random([2, 2, 3, 1], 1)}, attrs));
  });

  it('refuses shapes that do not fit together, and leaves nothing behind', () => {
    const attrs = {strides: 1, pad: 'valid', dilations: 1, inputShape: [2, 5, 5, 3]};
    const [dy, filter] = [random([2, 4, 4, 3], 1), random([2, 2, 3, 2], 2)];
    expectNothingLeft(() => {
      expect(() => runKernel(KERNEL, {dy, filter}, attrs)).toThrow(
        new TypeError(`${KERNEL}: dy must have the shape of the convolution, [2, 4, 4, 6], got [2, 4, 4, 3].`),
      );
      expect(() => runKernel(KERNEL, {dy, filter}, {...attrs, inputShape: [2, 5, 5, 2]})).toThrow(
        new TypeError(`${KERNEL}: the filter must have the 2 channels of the input, got 3.`),
      );
    });
  });
});
