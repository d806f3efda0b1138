import {add, dispose, enableProdMode, mul, neg, ones, tidy} from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {SMALL_MODELS} from '../../bench/smallModels';
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

/** All but the slowest, which has the kernels of 784-128-10. */
const MODELS = SMALL_MODELS.filter(({name}) => name !== '784-1024-10');

describeOnBackends('a step that mines half of a batch', (backend) => {
  it.runIf(backend.startsWith('webg')).each(MODELS)(
    'launches no more on the GPU than trainOnBatch over all rows: $name',
    async (small) => {
      const {mined, stock} = await smallLaunches(small);
      expect(mined).toBeGreaterThan(0);
      expect(mined).toBeLessThanOrEqual(stock);
    },
  );
});
