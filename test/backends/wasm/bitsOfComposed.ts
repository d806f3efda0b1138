import {dispose, type Tensor} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {expect, vi} from 'vitest';
import {Workbench} from '../../../src/backends/wasm/workbench';
import {RUNS} from '../../support/property';
import {type ConvolutionCase, convolutionCases} from './convolutionCases';

/** Expects products to give a gradient of any convolution with the bits of the composed kernels. */
export function expectBitsOfComposed(
  gradient: (shapes: ConvolutionCase) => Tensor,
  cases: fc.Arbitrary<ConvolutionCase> = convolutionCases(),
): void {
  const jobs = vi.spyOn(Workbench.prototype, 'jobsFor');
  fc.assert(
    fc.property(cases, (shapes) => {
      const own = gradient(shapes);
      jobs.mockReturnValueOnce(null);
      const composed = gradient(shapes);
      const [found, right] = [own.dataSync(), composed.dataSync()];
      // Comparing number by number takes long, and is for the message.
      if (!Buffer.from(found.buffer).equals(Buffer.from(right.buffer))) expect(found).toEqual(right);
      dispose([own, composed]);
    }),
    RUNS,
  );
  expect(jobs).toHaveBeenCalled();
  jobs.mockRestore();
}
