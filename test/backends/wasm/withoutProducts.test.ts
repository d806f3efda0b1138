import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {Conv2DBackpropFilter, Conv2DBackpropInput, fused, matMul} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {beforeAll, describe, expect, it, vi} from 'vitest';
import {RUNS} from '../../support/property';
import {convolutionCases} from './convolutionCases';
import {productCases} from './productCases';
import {expectSameAsCpu, random, runKernel, trainOnWasm} from './sameAsCpu';

// A file of its own: a backend tries the code of its products once.
describe('Where the code of products cannot run', () => {
  const compile = vi.spyOn(WebAssembly, 'Module');
  trainOnWasm();
  beforeAll(() => {
    compile.mockImplementation(function refuse() {
      throw new WebAssembly.CompileError('no vectors');
    });
  });

  it('products are what they are on cpu', async () => {
    await fc.assert(
      fc.asyncProperty(productCases, ({shapeA, shapeB, transposeA, transposeB}) =>
        expectSameAsCpu(() => matMul(random(shapeA, 1), random(shapeB, 2), transposeA, transposeB)),
      ),
      {...RUNS, numRuns: 300},
    );
    expect(compile).toHaveBeenCalled();
  });

  it('products with a bias are what they are on cpu', async () => {
    await fc.assert(
      fc.asyncProperty(productCases, ({shapeA, shapeB, transposeA, transposeB, columns}) =>
        expectSameAsCpu(() =>
          fused.matMul({
            a: random(shapeA, 1),
            b: random(shapeB, 2),
            transposeA,
            transposeB,
            bias: random([columns], 3),
          }),
        ),
      ),
      RUNS,
    );
  });

  it('gradients of convolutions are what they are on cpu', async () => {
    await fc.assert(
      fc.asyncProperty(
        convolutionCases({dataFormats: ['NHWC', 'NCHW']}),
        async ({inputShape, filterShape, outShape, attrs}) => {
          const [x, dy, filter] = [
            () => random(inputShape, 1),
            () => random(outShape, 2),
            () => random(filterShape, 3),
          ];
          await expectSameAsCpu(() => runKernel(Conv2DBackpropFilter, {x: x(), dy: dy()}, {...attrs, filterShape}));
          await expectSameAsCpu(() =>
            runKernel(Conv2DBackpropInput, {dy: dy(), filter: filter()}, {...attrs, inputShape}),
          );
        },
      ),
      {...RUNS, numRuns: 300},
    );
  });
});
