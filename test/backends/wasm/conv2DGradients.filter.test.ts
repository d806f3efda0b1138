import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {Conv2DBackpropFilter, cast, mul, setBackend, zeros} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../../support/property';
import {expectBitsOfComposed} from './bitsOfComposed';
import {type ConvolutionCase, convolutionCases} from './convolutionCases';
import {expectNothingLeft, expectSameAsCpu, random, runKernel, trainOnWasm} from './sameAsCpu';

const gradient = ({inputShape, filterShape, outShape, attrs}: ConvolutionCase) =>
  runKernel(Conv2DBackpropFilter, {x: random(inputShape, 1), dy: random(outShape, 2)}, {...attrs, filterShape});

describe('Conv2DBackpropFilter on wasm', () => {
  trainOnWasm();

  it('is what it is on cpu, for any shape, stride, padding, rounding and data format', async () => {
    const cases = convolutionCases({dataFormats: ['NHWC', 'NCHW']});
    await fc.assert(
      fc.asyncProperty(cases, (shapes) => expectSameAsCpu(() => gradient(shapes))),
      {...RUNS, numRuns: 600},
    );
  });

  it('has the bits of the composed kernels, which run where products cannot', () => {
    expectBitsOfComposed(gradient);
  });

  it('is zero where the convolution reads nothing but padding', async () => {
    const attrs = {strides: [9, 9], pad: 3, dataFormat: 'NHWC', filterShape: [1, 1, 2, 2]};
    await expectSameAsCpu(() =>
      runKernel(Conv2DBackpropFilter, {x: random([1, 3, 3, 2], 1), dy: random([1, 1, 1, 2], 2)}, attrs),
    );
  });

  it('is empty for an empty filter', async () => {
    const attrs = {strides: 1, pad: 2, dataFormat: 'NHWC', filterShape: [3, 0, 2, 4]};
    await expectSameAsCpu(() =>
      runKernel(Conv2DBackpropFilter, {x: random([1, 3, 3, 2], 1), dy: random([1, 5, 5, 4], 2)}, attrs),
    );
  });

  it('is zero for no images', async () => {
    const attrs = {strides: 1, pad: 'valid', dataFormat: 'NHWC', filterShape: [2, 2, 3, 4]};
    await expectSameAsCpu(() =>
      runKernel(Conv2DBackpropFilter, {x: zeros([0, 5, 5, 3]), dy: zeros([0, 4, 4, 4])}, attrs),
    );
  });

  it('takes whole numbers, and gives float32 as cpu does', async () => {
    const attrs = {strides: 1, pad: 'same', dataFormat: 'NHWC', filterShape: [2, 2, 1, 1]};
    await expectSameAsCpu(() => {
      const [x, dy] = [cast(mul(random([1, 3, 3, 1], 1), 9), 'int32'), cast(mul(random([1, 3, 3, 1], 2), 9), 'int32')];
      return runKernel(Conv2DBackpropFilter, {x, dy}, attrs);
    });
  });

  it('refuses shapes that do not fit together, and leaves nothing behind', () => {
    const attrs = {strides: 1, pad: 'valid', dataFormat: 'NHWC', filterShape: [2, 2, 3, 4]};
    const [x, dy] = [random([2, 5, 5, 3], 1), random([2, 4, 4, 4], 2)];
    expectNothingLeft(() => {
      expect(() => runKernel(Conv2DBackpropFilter, {x, dy: x}, attrs)).toThrow(
        new TypeError(
          'Conv2DBackpropFilter: dy must have the shape of the convolution, [2, 4, 4, 4], got [2, 5, 5, 3].',
        ),
      );
      expect(() => runKernel(Conv2DBackpropFilter, {x, dy}, {...attrs, filterShape: [2, 2, 5, 4]})).toThrow(
        new TypeError('Conv2DBackpropFilter: the filter must have the 3 channels of the input, got 5.'),
      );
    });
  });

  it('refuses what cpu refuses, in the same words', async () => {
    for (const backend of ['cpu', 'wasm']) {
      await setBackend(backend);
      const run = (attrs: object) => () =>
        runKernel(
          Conv2DBackpropFilter,
          {x: random([1, 3, 3, 1], 1), dy: random([1, 2, 2, 1], 2)},
          {strides: 1, pad: 'valid', dataFormat: 'NHWC', filterShape: [2, 2, 1, 1], ...attrs},
        );
      expect(run({dataFormat: 'NHCW'})).toThrow('Unknown dataFormat NHCW');
      expect(run({pad: 'some'})).toThrow('Unknown padding parameter: some');
      expect(run({pad: 1, dimRoundingMode: 'up'})).toThrow('Unknown roundingMode up');
    }
  });
});
