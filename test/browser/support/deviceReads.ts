import {backend, getBackend, Tensor} from '@tensorflow/tfjs-core';
import {vi} from 'vitest';

/**
 * Counts what is read from the device, by whomever and in whatever way, until it is stopped.
 */
export interface DeviceReads {
  count(): number;
  stop(): void;
}

/** Listens to the tensors, to the backend in use, and to the interfaces of the GPU itself. */
export function deviceReads(): DeviceReads {
  const spies = [
    ...(['data', 'dataSync', 'array', 'arraySync', 'bytes'] as const).map((read) => vi.spyOn(Tensor.prototype, read)),
    // On the host kernels get at their inputs in this way, which waits for nothing.
    ...(getBackend().startsWith('webg') ? (['read', 'readSync'] as const) : []).map((read) =>
      vi.spyOn(backend(), read),
    ),
    vi.spyOn(WebGL2RenderingContext.prototype, 'readPixels'),
    vi.spyOn(WebGL2RenderingContext.prototype, 'getBufferSubData'),
    vi.spyOn(WebGL2RenderingContext.prototype, 'clientWaitSync'),
    vi.spyOn(WebGL2RenderingContext.prototype, 'finish'),
    vi.spyOn(GPUBuffer.prototype, 'mapAsync'),
    vi.spyOn(GPUQueue.prototype, 'onSubmittedWorkDone'),
  ];
  return {
    count: () => spies.reduce((count, {mock}) => count + mock.calls.length, 0),
    stop: () => {
      for (const spy of spies) spy.mockRestore();
    },
  };
}
