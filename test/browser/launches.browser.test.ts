import {add, dispose, enableProdMode, mul, neg, ones, tidy} from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {smallModels} from '../../bench/smallModels';
import {launches, smallLaunches} from '../../bench/web/launches';
import {describeOnBackends} from './support/backends';

enableProdMode();

describeOnBackends('launches', (backend) => {
  it.runIf(backend.startsWith('webg'))('counts what the GPU is given to do, and stops', async () => {
    const {drawElements} = WebGL2RenderingContext.prototype;
    const {dispatchWorkgroups} = GPUComputePassEncoder.prototype;
    const [a, b] = [ones([40, 50]), ones([40, 50])];
    // Uploads both.
    add(a, b).dispose();
    expect(await launches(() => tidy(() => void neg(add(mul(a, b), a))))).toBe(3);
    expect(await launches(() => {})).toBe(0);
    await expect(launches(() => Promise.reject(new Error('no more')))).rejects.toThrow('no more');
    expect(WebGL2RenderingContext.prototype.drawElements).toBe(drawElements);
    expect(GPUComputePassEncoder.prototype.dispatchWorkgroups).toBe(dispatchWorkgroups);
    dispose([a, b]);
  });
});

/**
 * The most launches of a step. (`trainOnBatch` takes about half as many: 115, 132 and 109
 * on webgl.)
 */
const MOST: Record<string, Record<string, number>> = {
  webgl: {'2-8-2': 205, '4-16-16-3': 243, '784-128-10': 218},
  webgpu: {'2-8-2': 103, '4-16-16-3': 126, '784-128-10': 108},
};

describeOnBackends('a step of ohemStep that mines half of a batch', (backend) => {
  it.runIf(backend.startsWith('webg')).each(smallModels('2-8-2', '4-16-16-3', '784-128-10'))(
    'launches no more on the GPU than it has to: $name',
    async (small) => {
      const {mined} = await smallLaunches(small);
      expect(mined).toBeLessThanOrEqual(MOST[backend]?.[small.name] ?? 0);
    },
  );
});
