import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {
  backend_util,
  Conv3DBackpropFilterV2,
  Conv3DBackpropInputV2,
  conv3dTranspose,
  type Tensor5D,
  zeros,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../../support/property';
import {expectNothingLeft, expectSameAsCpu, random, runKernel, trainOnWasm} from './sameAsCpu';

type Shape5D = [number, number, number, number, number];
const upTo = (max: number) => fc.integer({min: 1, max});
const triple = (max: number) => fc.tuple(upTo(max), upTo(max), upTo(max));

const cases = fc
  .record({
    batchSize: upTo(2),
    size: triple(5),
    kernel: triple(3),
    channels: upTo(3),
    filters: upTo(3),
    strides: triple(3),
    pad: fc.constantFrom<'same' | 'valid' | 1 | 2>('same', 'valid', 1, 2),
  })
  .map(({batchSize, size, kernel, channels, filters, strides, pad}) => {
    const inputShape: Shape5D = [batchSize, ...size, channels];
    const filterShape: Shape5D = [...kernel, channels, filters];
    const {outShape} = backend_util.computeConv3DInfo(inputShape, filterShape, strides, 1, pad);
    return {inputShape, filterShape, outShape, attrs: {strides, pad}};
  })
  .filter(({outShape}) => outShape.every((length) => length >= 1));

describe('Gradients of convolutions of volumes on wasm', () => {
  trainOnWasm();

  it('are what they are on cpu, for any shape, stride and padding', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({inputShape, filterShape, outShape, attrs}) => {
        await expectSameAsCpu(() =>
          runKernel(
            Conv3DBackpropFilterV2,
            {x: random(inputShape, 1), dy: random(outShape, 2)},
            {...attrs, filterShape},
          ),
        );
        await expectSameAsCpu(() =>
          runKernel(
            Conv3DBackpropInputV2,
            {dy: random(outShape, 1), filter: random(filterShape, 2)},
            {...attrs, inputShape},
          ),
        );
      }),
      {...RUNS, numRuns: 300},
    );
  });

  it('take a transposed convolution of more volumes and pixels than its output is computed from', async () => {
    await expectSameAsCpu(() => {
      const [x, filter] = [random([2, 4, 5, 6, 3], 1) as Tensor5D, random([2, 2, 2, 2, 3], 2) as Tensor5D];
      return conv3dTranspose(x, filter, [1, 3, 4, 5, 2], 1, 'same');
    });
  });

  it('are zero for no volumes', async () => {
    const attrs = {strides: 1, pad: 'valid', filterShape: [2, 2, 2, 3, 1], inputShape: [0, 3, 3, 3, 3]};
    const dy = () => zeros([0, 2, 2, 2, 1]);
    await expectSameAsCpu(() => runKernel(Conv3DBackpropFilterV2, {x: zeros([0, 3, 3, 3, 3]), dy: dy()}, attrs));
    await expectSameAsCpu(() => runKernel(Conv3DBackpropInputV2, {filter: zeros([2, 2, 2, 3, 1]), dy: dy()}, attrs));
  });

  it('refuse shapes that do not fit together, and leave nothing behind', () => {
    const x = random([1, 3, 3, 3, 2], 1);
    const filter = random([2, 2, 2, 2, 4], 2);
    const attrs = {strides: 1, pad: 'valid', filterShape: filter.shape, inputShape: x.shape};
    expectNothingLeft(() => {
      for (const [kernel, inputs] of [
        [Conv3DBackpropFilterV2, {x, dy: x}],
        [Conv3DBackpropInputV2, {filter, dy: x}],
      ] as const) {
        expect(() => runKernel(kernel, inputs, attrs)).toThrow(
          new TypeError(`${kernel}: dy must have the shape of the convolution, [1, 2, 2, 2, 4], got [1, 3, 3, 3, 2].`),
        );
      }
      expect(() => runKernel(Conv3DBackpropInputV2, {filter, dy: x}, {...attrs, inputShape: [1, 3, 3, 3, 5]})).toThrow(
        new TypeError('Conv3DBackpropInputV2: the filter must have the 5 channels of the input, got 2.'),
      );
    });
  });
});
