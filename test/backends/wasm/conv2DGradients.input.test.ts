import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {Conv2DBackpropInput, conv2dTranspose, type Tensor3D, type Tensor4D, zeros} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../../support/property';
import {expectBitsOfComposed} from './bitsOfComposed';
import {type ConvolutionCase, convolutionCases} from './convolutionCases';
import {expectNothingLeft, expectSameAsCpu, random, runKernel, trainOnWasm} from './sameAsCpu';

const upTo = (max: number) => fc.integer({min: 1, max});

const gradient = ({inputShape, filterShape, outShape, attrs}: ConvolutionCase) =>
  runKernel(Conv2DBackpropInput, {dy: random(outShape, 1), filter: random(filterShape, 2)}, {...attrs, inputShape});

describe('Conv2DBackpropInput on wasm', () => {
  trainOnWasm();

  it('is what it is on cpu, for any shape, stride, padding, rounding and data format', async () => {
    const cases = convolutionCases({dataFormats: ['NHWC', 'NCHW']});
    await fc.assert(
      fc.asyncProperty(cases, (shapes) => expectSameAsCpu(() => gradient(shapes))),
      {...RUNS, numRuns: 600},
    );
  });

  it('is a transposed convolution', async () => {
    await expectSameAsCpu(() => {
      const [x, filter] = [random([2, 3, 4, 5], 1) as Tensor4D, random([3, 3, 2, 5], 2) as Tensor4D];
      return conv2dTranspose(x, filter, [2, 6, 8, 2], 2, 'same');
    });
  });

  it('takes a transposed convolution of an image without a batch axis, larger than its output is computed from', async () => {
    for (const [size, strides, pad] of [
      [[8, 8], 1, 'same'],
      [[4, 5], 1, 'same'],
      [[5, 5], 2, 'same'],
      [[6, 3], 2, 'valid'],
    ] as const) {
      const shape = pad === 'valid' ? [7, 7] : [4 * strides, 4 * strides];
      await expectSameAsCpu(() => {
        const [x, filter] = [random([...size, 5], 1) as Tensor3D, random([3, 3, 2, 5], 2) as Tensor4D];
        return conv2dTranspose(x, filter, [...shape, 2] as [number, number, number], strides, pad);
      });
    }
  });

  it('takes more images and pixels than the output is computed from, whatever the data format', async () => {
    await expectSameAsCpu(() => {
      const [x, filter] = [random([3, 6, 7, 5], 1) as Tensor4D, random([3, 3, 2, 5], 2) as Tensor4D];
      return conv2dTranspose(x, filter, [2, 5, 6, 2], 1, 'same');
    });
    const attrs = {strides: 1, pad: 'same', dataFormat: 'NCHW', inputShape: [2, 3, 4, 4]};
    const inputs = () => ({dy: random([2, 4, 5, 6], 1), filter: random([2, 2, 3, 4], 2)});
    await expectSameAsCpu(() => runKernel(Conv2DBackpropInput, inputs(), attrs));
  });

  it('is empty for images without columns', async () => {
    const attrs = {strides: 1, pad: 2, dataFormat: 'NHWC', inputShape: [1, 3, 0, 2]};
    await expectSameAsCpu(() =>
      runKernel(Conv2DBackpropInput, {dy: random([1, 5, 2, 4], 1), filter: random([3, 3, 2, 4], 2)}, attrs),
    );
  });

  it('has the bits of the composed kernels, which run where products cannot', () => {
    expectBitsOfComposed(gradient);
  });

  it('has those bits for images that are too large to be computed at once', () => {
    const margin = fc.nat(3);
    const cases = fc
      .record({
        ...{batchSize: upTo(2), rows: upTo(40), columns: fc.integer({min: 400, max: 700})},
        ...{kernelRows: upTo(7), kernelColumns: upTo(3), channels: upTo(9), filters: upTo(3)},
        ...{above: margin, below: margin, left: margin, right: margin},
      })
      .filter(({rows, kernelRows, above, below}) => above + rows + below >= kernelRows)
      .map(({batchSize, rows, columns, kernelRows, kernelColumns, channels, filters, ...margins}): ConvolutionCase => {
        const {above, below, left, right} = margins;
        const [outRows, outColumns] = [
          above + rows + below - kernelRows + 1,
          left + columns + right - kernelColumns + 1,
        ];
        return {
          inputShape: [batchSize, rows, columns, channels],
          filterShape: [kernelRows, kernelColumns, channels, filters],
          outShape: [batchSize, outRows, outColumns, filters],
          attrs: {
            ...({strides: [1, 1], dilations: [1, 1], dataFormat: 'NHWC'} as const),
            pad: [
              [0, 0],
              [above, below],
              [left, right],
              [0, 0],
            ],
          },
        };
      });
    expectBitsOfComposed(gradient, cases);
  });

  it('is zero for no images', async () => {
    const attrs = {strides: 1, pad: 'valid', dataFormat: 'NHWC', inputShape: [0, 5, 5, 3]};
    await expectSameAsCpu(() =>
      runKernel(Conv2DBackpropInput, {dy: zeros([0, 4, 4, 4]), filter: random([2, 2, 3, 4], 1)}, attrs),
    );
  });

  it('refuses shapes that do not fit together, and leaves nothing behind', () => {
    const attrs = {strides: 1, pad: 'valid', dataFormat: 'NHWC', inputShape: [2, 5, 5, 3]};
    const [dy, filter, fiveChannels] = [random([2, 3, 4, 4], 1), random([2, 2, 3, 4], 2), random([2, 4, 4, 5], 1)];
    expectNothingLeft(() => {
      expect(() => runKernel(Conv2DBackpropInput, {dy, filter}, attrs)).toThrow(
        new TypeError(
          'Conv2DBackpropInput: dy must have the shape of the convolution, [2, 4, 4, 4], got [2, 3, 4, 4].',
        ),
      );
      expect(() => runKernel(Conv2DBackpropInput, {dy: fiveChannels, filter}, attrs)).toThrow(
        new TypeError(
          'Conv2DBackpropInput: dy must have the shape of the convolution, [2, 4, 4, 4], got [2, 4, 4, 5].',
        ),
      );
      expect(() => runKernel(Conv2DBackpropInput, {dy, filter}, {...attrs, inputShape: [2, 5, 5, 1]})).toThrow(
        new TypeError('Conv2DBackpropInput: the filter must have the 1 channels of the input, got 3.'),
      );
    });
  });
});
