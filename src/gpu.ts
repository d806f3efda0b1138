/** @file Kernels of this library for GPUs, written once for webgl and webgpu. */

import {
  type DataType,
  env,
  type KernelBackend,
  type KernelConfig,
  type Tensor,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import {backendInUse, isOffTape, runOwnKernel} from './engine';

/** A kernel in the language that GLSL and WGSL share. */
interface Code {
  name: string;
  inputs: readonly string[];
  /** The type of the output. */
  dtype: 'float32' | 'int32' | 'bool';
  /** Integers that the code reads by name. */
  integers?: readonly string[];
  /** Other numbers that the code reads by name. */
  floats?: readonly string[];
  /**
   * Computes one number of the output, at `row` (and `column`, if the output has two axes), and
   * ends in `setOutput(number);`. It reads every input: `Scores` by `getScores(row)`, or by
   * `ScoresHere` at the place of the output. Booleans of tensors are 0 and 1; `isNumber` is false
   * for NaN and ±∞. Variables are declared with a value, have no name that either language
   * reserves (`from`, `target`), and every body stands in braces. Webgpu reports none of this: a
   * kernel that it does not understand writes nothing.
   */
  code: string;
  /** The code for packed textures of webgl, four numbers at a time; used if an input is packed. */
  packed?: string;
  /** Whether webgl packs the output, a single number, for kernels that take packed inputs. */
  isPacked?: boolean;
}

/** A kernel for both backends. */
export interface GpuKernel {
  inputs: readonly string[];
  configs: {webgl: KernelConfig; webgpu: KernelConfig};
}

/** Attributes of a run. */
interface Run {
  shape: number[];
  integers: number[];
  floats: number[];
}

/** What a backend offers to run a program on a GPU. */
interface GpuBackend extends KernelBackend {
  runWebGLProgram?(program: object, inputs: TensorInfo[], dtype: DataType, uniforms: number[][]): TensorInfo;
  runWebGPUProgram?(program: object, inputs: TensorInfo[], dtype: DataType, uniforms: Uniform[]): TensorInfo;
  texData?: {get(dataId: object): {isPacked?: boolean} | undefined};
}

interface Uniform {
  type: 'int32' | 'float32';
  data: number[];
}

/**
 * Whether {@link runGpuKernel} works: on webgpu, and on webgl 2, which has loops. Not on a tape,
 * because the kernels have no gradients.
 */
export function runsGpuKernels(): boolean {
  return isOffTape() && languageInUse() !== undefined;
}

/** Finds what the backend in use understands, under any name: that of React Native is webgl too. */
function languageInUse(): 'webgl' | 'webgpu' | undefined {
  const {runWebGPUProgram, runWebGLProgram} = backendInUse().backend as GpuBackend;
  if (typeof runWebGPUProgram === 'function') return 'webgpu';
  return typeof runWebGLProgram === 'function' && env().getNumber('WEBGL_VERSION') === 2 ? 'webgl' : undefined;
}

/** Builds a kernel. */
export function gpuKernel(code: Code): GpuKernel {
  const webgl = kernelOn('webgl', code, (...run) => onWebgl(code, ...run));
  const webgpu = kernelOn('webgpu', code, (...run) => onWebgpu(code, ...run));
  return {inputs: code.inputs, configs: {webgl, webgpu}};
}

/** Runs a kernel on inputs in its order. */
export function runGpuKernel<T extends Tensor>(
  {inputs, configs}: GpuKernel,
  given: readonly Tensor[],
  shape: readonly number[],
  integers: readonly number[] = [],
  floats: readonly number[] = [],
): T {
  const config = {...configs[languageInUse() as 'webgl' | 'webgpu'], backendName: backendInUse().name};
  const named = Object.fromEntries(inputs.map((input, i) => [input, given[i] as Tensor]));
  return runOwnKernel(config, named, {shape: [...shape], integers: [...integers], floats: [...floats]}) as T;
}

function kernelOn(
  backendName: 'webgl' | 'webgpu',
  {name, inputs}: Code,
  run: (backend: GpuBackend, given: TensorInfo[], attributes: Run) => TensorInfo | undefined,
): KernelConfig {
  return {
    kernelName: name,
    backendName,
    kernelFunc: (call) => {
      const given = inputs.map((input) => (call.inputs as Record<string, TensorInfo>)[input] as TensorInfo);
      return run(call.backend as GpuBackend, given, call.attrs as unknown as Run) as TensorInfo;
    },
  };
}

/** Tells finite numbers by their bits: compilers of shaders may assume that all numbers are. */
const isNumber = (signature: string, bits: string) => `${signature} { return (${bits} & 0x7f800000u) != 0x7f800000u; }`;

function onWebgl(
  {inputs, dtype, integers = [], floats = [], code, packed, isPacked = false}: Code,
  backend: GpuBackend,
  given: TensorInfo[],
  {shape, ...numbers}: Run,
) {
  const arePacked = packed !== undefined && given.some(({dataId}) => backend.texData?.get(dataId)?.isPacked);
  const place = shape.length === 2 ? 'ivec2 at = getOutputCoords(); int row = at.x; int column = at.y;' : '';
  const unpacked = `${shape.length === 1 ? 'int row = getOutputCoords();' : place} ${code}`;
  const source = (arePacked ? packed : unpacked).replace(/\b(\w+)Here\b/g, 'get$1AtOutCoords()');
  const program = {
    variableNames: inputs,
    outputShape: shape,
    packedInputs: arePacked,
    packedOutput: arePacked || isPacked,
    customUniforms: [
      ...integers.map((name) => ({name, type: 'int'})),
      ...floats.map((name) => ({name, type: 'float'})),
    ],
    userCode: `
      ${isNumber('bool isNumber(float x)', 'floatBitsToUint(x)')}
      void main() { ${isPacked ? source.replace(/setOutput\((.*)\);/g, 'setOutput(vec4($1, 0.0, 0.0, 0.0));') : source} }`,
  };
  const uniforms = [...numbers.integers, ...numbers.floats].map((value) => [value]);
  return backend.runWebGLProgram?.(program, given, dtype, uniforms);
}

const WORKGROUP = 64;

function onWebgpu(
  {name, inputs, dtype, integers = [], floats = [], code}: Code,
  backend: GpuBackend,
  given: TensorInfo[],
  {shape, ...numbers}: Run,
) {
  const place = shape.length === 2 ? 'let at = getCoordsFromIndex(index); let row = at.x; let column = at.y;' : '';
  const program = {
    variableNames: inputs,
    outputShape: shape,
    // The backend keeps programs by this key alone.
    shaderKey: `${name} ${code}`,
    dispatchLayout: {x: [...shape.keys()]},
    dispatch: [Math.ceil(util.sizeFromShape([...shape]) / WORKGROUP), 1, 1],
    workgroupSize: [WORKGROUP, 1, 1],
    size: true,
    uniforms: [...integers.map((name) => `${name} : i32, `), ...floats.map((name) => `${name} : f32, `)].join(''),
    getUserCode: () => `
      ${isNumber('fn isNumber(x : f32) -> bool', 'bitcast<u32>(x)')}
      fn main(index : i32) {
        if (index < uniforms.size) {
          ${shape.length === 1 ? 'let row = index;' : place}
          ${[...integers, ...floats].map((name) => `let ${name} = uniforms.${name};`).join(' ')}
          ${inWgsl(code)}
        }
      }`,
  };
  const uniforms = [
    ...numbers.integers.map((value) => ({type: 'int32' as const, data: [value]})),
    ...numbers.floats.map((value) => ({type: 'float32' as const, data: [value]})),
  ];
  return backend.runWebGPUProgram?.(program, given, dtype, uniforms);
}

/** Translates code: declarations, conversions, the constant NaN, the place of the output. */
function inWgsl(code: string): string {
  return code
    .replace(/\b(?:float|int) (\w+) =/g, 'var $1 =')
    .replace(/\bfloat\(/g, 'f32(')
    .replace(/\bint\(/g, 'i32(')
    .replace(/\bNAN\b/g, 'uniforms.NAN')
    .replace(/\b(\w+)Here\b/g, 'f32($1[index])')
    .replace(/\bsetOutput\(/g, 'setOutputAtIndex(index, ');
}
