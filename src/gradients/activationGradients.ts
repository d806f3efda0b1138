/** @file Gradients of activations in one kernel, where those of tfjs take two or three. */

import type {Tensor} from '@tensorflow/tfjs-core';
import {gpuKernel, runGpuKernel, runsGpuKernels} from '../gpu';
import {hostKernel, isForHostKernel, runHostKernel} from '../hostKernel';
import {isSameShape} from './places';

const INPUTS = ['Dy', 'Y'];
const {fround} = Math;

/** Builds the kernels of an activation, from its gradient by `dy` and the output `y`. */
function kernels(name: string, onHost: (dy: number, y: number) => number, onGpu: string, packed: string) {
  return {
    host: /* @__PURE__ */ hostKernel(`Ohem${name}Gradient`, INPUTS, ({read}) => {
      const [dys, ys] = [read('Dy'), read('Y')];
      const gradient = new Float32Array(ys.length);
      for (let at = 0; at < gradient.length; at++) gradient[at] = onHost(dys[at] as number, ys[at] as number);
      return gradient;
    }),
    gpu: /* @__PURE__ */ gpuKernel({
      name: `Ohem${name}Gradient`,
      inputs: INPUTS,
      dtype: 'float32',
      code: `float y = YHere; setOutput(${onGpu});`,
      packed: `vec4 y = YHere; setOutput(${packed});`,
    }),
  };
}

/** By the op of tfjs. The bits are those of its gradients. */
const ACTIVATIONS: Readonly<Record<string, ReturnType<typeof kernels>>> = {
  // A relu may have saved its input instead, which is positive in the same places.
  Relu: /* @__PURE__ */ kernels(
    'Relu',
    (dy, y) => dy * (y > 0 ? 1 : Number.isNaN(y) ? Number.NaN : 0),
    'DyHere * clamp(sign(y), 0.0, 1.0)',
    'DyHere * vec4(greaterThan(y, vec4(0.0)))',
  ),
  Tanh: /* @__PURE__ */ kernels(
    'Tanh',
    (dy, y) => fround(1 - fround(y * y)) * dy,
    'DyHere * (1.0 - y * y)',
    'DyHere * (vec4(1.0) - y * y)',
  ),
  Sigmoid: /* @__PURE__ */ kernels(
    'Sigmoid',
    (dy, y) => dy * fround(y * fround(1 - y)),
    'DyHere * (y * (1.0 - y))',
    'DyHere * (y * (vec4(1.0) - y))',
  ),
};

/** Computes the gradient of an activation; undefined if the kernels of tfjs do so sooner. */
export function activationGradient(name: string, y: Tensor | undefined, dy: Tensor): Tensor | undefined {
  const activation = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (!activation || !y || !isSameShape(y.shape, dy.shape)) return undefined;
  if (isForHostKernel(dy, y)) return runHostKernel(activation.host, [dy, y], dy.shape);
  return runsGpuKernels() ? runGpuKernel(activation.gpu, [dy, y], dy.shape) : undefined;
}
