import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {add, cast, mul, setBackend, tensor, tidy} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {describe, expect, it, vi} from 'vitest';
import {Workbench} from '../../../src/backends/wasm/workbench';
import {RUNS} from '../../support/property';
import {EXACT, expectNothingLeft, expectSameAsCpu, random, trainOnWasm} from './sameAsCpu';

/** Shapes on both sides of the sizes from which our own code adds, and a bias is repeated. */
const SHAPES = [
  [23, 89],
  [16, 128],
  [65, 33],
  [64, 32],
  [67, 31],
  [700, 3],
  [1, 8192],
  [4, 2048],
  [16, 512],
  [16, 513],
  [8192, 1],
  [4095, 2],
  [4096, 2],
  [4099, 2],
  [2, 32, 32, 4],
  [3, 26, 26, 16],
  [7, 11, 11, 32],
];

describe('Adding on wasm', () => {
  trainOnWasm();

  it('is what it is on cpu, of a bias in any shape, and of anything else', async () => {
    const cases = fc.record({
      shape: fc.constantFrom(...SHAPES),
      leading: fc.nat(2),
      kind: fc.constantFrom('bias', 'whole bias', 'bias first', 'column', 'same shape', 'number'),
    });
    await fc.assert(
      fc.asyncProperty(cases, ({shape, leading, kind}) => {
        const [pixels, channels] = [shape.slice(0, -1), shape.at(-1) as number];
        const ones = new Array(Math.min(leading, pixels.length)).fill(1);
        const other = {
          bias: [...ones, channels],
          'whole bias': [channels],
          'bias first': [channels],
          column: [...pixels, 1],
          'same shape': shape,
          number: [],
        }[kind];
        return expectSameAsCpu(
          () => {
            const [a, b] = [random(shape, 1), random(other, 2)];
            if (kind === 'bias first') return add(b, a);
            return kind === 'whole bias' ? add(cast(mul(a, 9), 'int32'), cast(mul(b, 9), 'int32')) : add(a, b);
          },
          {tolerance: EXACT},
        );
      }),
      RUNS,
    );
  });

  it('gives a result with more axes to a bias with more', async () => {
    await expectSameAsCpu(() => add(random([4096, 4], 1), random([1, 1, 4], 2)), {tolerance: EXACT});
  });

  it('has the sums of the stock kernel, of any numbers', async () => {
    await setBackend('wasm');
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, -0, 3e38, 1e-45, 0, 1, -3e38];
    const values = Float32Array.from({length: 8192}, (_, i) => odd[i % 23] ?? Math.sin(i));
    const sums = () => tidy(() => add(tensor(values, [1024, 8]), tensor(odd)).dataSync());
    const ours = sums();
    enableWasmTraining()();
    expect(ours).toEqual(sums());
    enableWasmTraining();
  });

  it('is left to the stock kernel where our own code cannot run', async () => {
    const jobs = vi.spyOn(Workbench.prototype, 'jobsFor').mockReturnValue(null);
    for (const shape of SHAPES)
      await expectSameAsCpu(() => add(random(shape, 1), random([shape.at(-1) as number], 2)), {tolerance: EXACT});
    expect(jobs).toHaveBeenCalled();
    jobs.mockRestore();
  });

  it('leaves nothing behind', () => {
    expectNothingLeft(() => tidy(() => void add(random([4096, 4], 1), random([4], 2))));
  });
});
