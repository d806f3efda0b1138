/** @file Gradients of activations in one kernel, where those of tfjs take two or three. */

import type {Tensor} from '@tensorflow/tfjs-core';
import {gpuKernel, runGpuKernel, runsGpuKernels} from '../gpu';
import {hostKernel, isForHostKernel, runHostKernel} from '../hostKernel';
import {ACTIVATION_GRADIENT, isForWasmKernel, runWasmKernel} from '../wasmKernels';
import {isSameShape} from './places';

const INPUTS = ['Dy', 'Y'];
const {fround} = Math;

/** Builds the kernels of an activation: its gradient by `dy` and the output `y`. */
function kernels(name: string, onHost: (dy: number, y: number) => number, code: string, packed: string) {
  return {
    host: hostKernel(`Ohem${name}Gradient`, INPUTS, ({read}) => {
      const [dys, ys] = [read('Dy'), read('Y')];
      const gradient = new Float32Array(ys.length);
      for (let at = 0; at < gradient.length; at++) gradient[at] = onHost(dys[at] as number, ys[at] as number);
      return gradient;
    }),
    gpu: gpuKernel({
      name: `Ohem${name}Gradient`,
      inputs: INPUTS,
      dtype: 'float32',
      code: `float dy = DyHere; float y = YHere; ${code}`,
      packed: `vec4 dy = DyHere; vec4 y = YHere; ${packed}`,
    }),
  };
}

/** By the op of tfjs. The bits are those of its gradients on cpu and wasm. */
const ACTIVATIONS: Readonly<Record<string, ReturnType<typeof kernels>>> = {
  // A relu may have saved its input instead, which is positive in the same places, and NaN.
  Relu: /* @__PURE__ */ kernels(
    'Relu',
    (dy, y) => dy * (y > 0 ? 1 : Number.isNaN(y) ? Number.NaN : 0),
    `float slope = 0.0;
     if (y > 0.0) { slope = 1.0; }
     if (isnan(y)) { slope = NAN; }
     setOutput(dy * slope);`,
    `bvec4 flaws = isnan(y);
     vec4 slope = vec4(greaterThan(y, vec4(0.0)));
     setOutput(dy * vec4(${['x', 'y', 'z', 'w'].map((i) => `flaws.${i} ? NAN : slope.${i}`)}));`,
  ),
  Tanh: /* @__PURE__ */ kernels(
    'Tanh',
    (dy, y) => fround(1 - fround(y * y)) * dy,
    'setOutput(dy * (1.0 - y * y));',
    'setOutput(dy * (vec4(1.0) - y * y));',
  ),
  Sigmoid: /* @__PURE__ */ kernels(
    'Sigmoid',
    (dy, y) => dy * fround(y * fround(1 - y)),
    'setOutput(dy * (y * (1.0 - y)));',
    'setOutput(dy * (y * (vec4(1.0) - y)));',
  ),
};

/** Computes the gradient of an activation; undefined if it is left to tfjs. */
export function activationGradient(name: string, y: Tensor | undefined, dy: Tensor): Tensor | undefined {
  const activation = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (!activation || !y || !isSameShape(y.shape, dy.shape)) return undefined;
  if (isForWasmKernel(ACTIVATION_GRADIENT, dy, y)) {
    return runWasmKernel(ACTIVATION_GRADIENT, {dy, y}, {activation: name});
  }
  if (isForHostKernel(dy, y)) return runHostKernel(activation.host, [dy, y], dy.shape);
  return runsGpuKernels() ? runGpuKernel(activation.gpu, [dy, y], dy.shape) : undefined;
}
