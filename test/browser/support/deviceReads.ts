import {backend, Tensor} from '@tensorflow/tfjs-core';
import {vi} from 'vitest';

/** Counts what is read from the device, by whom and by whatever way, until it is disposed. */
export interface DeviceReads {
  count(): number;
  stop(): void;
}

/** Listens to the tensors, to the backend in use, and to the interfaces of the GPU itself. */
export function deviceReads(): DeviceReads {
  const spies = [
    ...(['data', 'dataSync', 'array', 'arraySync', 'bytes'] as const).map((read) => vi.spyOn(Tensor.prototype, read)),
    ...(['read', 'readSync'] as const).map((read) => vi.spyOn(backend(), read)),
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
