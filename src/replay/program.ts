/** @file A recorded list of kernels, replayed on other data without the engine. */

import {getKernel, type KernelConfig, type Tensor, type TensorInfo, tensor} from '@tensorflow/tfjs-core';
import {backendInUse, type EngineEvent, type HostTensor, type KernelCall, tensorOf} from '../engine';

/** Data by its number in a program; undefined if disposed or absent. */
export type Data = (object | undefined)[];

/** A tensor of a program, whose data has a number. */
export interface Place extends Omit<TensorInfo, 'dataId'> {
  number: number;
}

/** Draws new random numbers for a tensor. */
export type Draw = () => Tensor;

interface KernelLine {
  name: string;
  config: KernelConfig;
  call: Parameters<KernelConfig['kernelFunc']>[0];
  /** The inputs of the call, and the numbers of their data. */
  reads: (readonly [TensorInfo, number])[];
  gives: number[];
  /** Numbers of data that no later line needs. */
  frees: number[];
}

interface DrawLine {
  draw: Draw;
  reads: [];
  gives: number[];
  frees: number[];
}

type Line = KernelLine | DrawLine;

/** Kernels that return the same values in another shape. */
const VIEWS = new Set(['Identity', 'Reshape', 'ExpandDims']);

/** Whether a kernel returns its input, at most in another shape. */
function isViewOf({name, inputs, outputs}: KernelCall): boolean {
  if (VIEWS.has(name)) return true;
  return name === 'Cast' && (inputs as Record<string, TensorInfo>).x?.dtype === outputs[0]?.dtype;
}

/** Kernels that depend only on the shape and dtype of their input. */
const OF_SHAPES = new Set(['ZerosLike', 'OnesLike']);

/** Kernels that draw random numbers themselves. */
const RANDOM = new Set(['Multinomial']);

export type Program = ReturnType<typeof compile>;

/** A program that ran. */
export type Ran = ReturnType<Program['run']>;

/** Thrown if kernels cannot be replayed; the step then runs on a tape. */
export class NotReplayable extends Error {}

/**
 * Compiles events to a program. Views and repeated computations are merged, and kernels without a
 * reader are dropped.
 *
 * @param events  the recorded events, in order.
 * @param data  input data of a run, in order: `given`, all of it distinct, then `known`, the data
 *   left by an earlier program.
 * @param wanted  the data to keep after a run.
 * @param drawFor  returns how to redraw a tensor of random numbers.
 * @throws NotReplayable if some data has an unknown origin.
 */
export function compile(
  events: readonly EngineEvent[],
  {given, known = []}: {given: readonly object[]; known?: Data},
  wanted: readonly object[],
  drawFor?: (tensor: HostTensor) => Draw | undefined,
) {
  const inUse = backendInUse();
  const numbers = numberedData(given, known);
  const constants: {number: number; host: HostTensor}[] = [];
  const lines: Line[] = [];
  const computed = new Map<string, number[]>();
  for (const event of events) {
    if ('values' in event) {
      const number = numbers.add(event.tensor.dataId);
      const draw = event.drawnBy === undefined ? undefined : drawFor?.(event);
      if (draw) lines.push({draw, reads: [], gives: [number], frees: []});
      else if (event.drawnBy === undefined) constants.push({number, host: event});
      else throw new NotReplayable('random numbers are drawn');
      continue;
    }
    const isView = isViewOf(event);
    const line = isView ? undefined : kernelLine(event, numbers, inUse);
    const key = line && keyOf(line);
    const twin = isView ? [numbers.of(inputsOf(event)[0] as TensorInfo)] : computed.get(key as string);
    if (twin) event.outputs.forEach(({dataId}, i) => void numbers.same(dataId, twin[i] as number));
    if (twin || !line) continue;
    for (const {dataId} of event.outputs) line.gives.push(numbers.add(dataId));
    computed.set(key as string, line.gives);
    lines.push(line);
  }
  const kept = new Set(wanted.map((dataId) => numbers.ofData(dataId)));
  const program = withLifetimes(
    needed(lines, kept),
    kept,
    given.length + known.length,
    constants.map(({number}) => number),
  );
  return runnable(
    program,
    constants.filter(({number}) => program.read.has(number) || kept.has(number)),
    numbers,
    kept,
  );
}

const inputsOf = ({inputs}: KernelCall): TensorInfo[] =>
  Object.values(inputs).flatMap((input: TensorInfo | TensorInfo[] | null | undefined) => input ?? []);

/** Numbers data. If a kernel returns its input's data, the output gets a new number. */
function numberedData(given: readonly object[], known: Data) {
  const numbers = new Map<object, number>();
  for (const [i, dataId] of known.entries()) {
    if (dataId && !numbers.has(dataId)) numbers.set(dataId, given.length + i);
  }
  for (const [number, dataId] of given.entries()) {
    // A kernel input could then be either of the two.
    if (numbers.has(dataId)) throw new NotReplayable('the same data is given twice');
    numbers.set(dataId, number);
  }
  let next = given.length + known.length;
  const ofData = (dataId: object): number => {
    const number = numbers.get(dataId);
    if (number === undefined) throw new NotReplayable('data comes from elsewhere');
    return number;
  };
  return {
    ofData,
    of: ({dataId}: TensorInfo) => ofData(dataId),
    same: (dataId: object, number: number) => numbers.set(dataId, number),
    add(dataId: object): number {
      numbers.set(dataId, next);
      return next++;
    },
    count: () => next,
  };
}

/**
 * Builds the line of a kernel. It owns the captured inputs, and replaces their data in each run.
 */
function kernelLine(
  event: KernelCall,
  numbers: ReturnType<typeof numberedData>,
  {backend, name: backendName}: ReturnType<typeof backendInUse>,
): KernelLine {
  const {name, inputs, attrs} = event;
  if (RANDOM.has(name)) throw new NotReplayable(`${name} draws random numbers`);
  const reads = inputsOf(event).map((info) => [info, numbers.of(info)] as const);
  const call = {inputs, attrs, backend} as KernelLine['call'];
  return {name, config: getKernel(name, backendName) as KernelConfig, call, reads, gives: [], frees: []};
}

/** Builds a key of the computation: two lines with the same key return the same values. */
function keyOf({name, call, reads}: KernelLine): string {
  const attrs = JSON.stringify(call.attrs ?? null, (_, value) => (typeof value === 'number' ? `${value}` : value));
  const read = ([{shape, dtype}, number]: KernelLine['reads'][0]) =>
    `${OF_SHAPES.has(name) ? '' : number}:${shape}:${dtype}`;
  const names = Array.isArray(call.inputs) ? '' : Object.keys(call.inputs).filter((key) => call.inputs[key]);
  return [name, attrs, names, ...reads.map(read)].join('|');
}

/**
 * Selects the lines that lead to kept data, and every draw: dropping a draw would change the
 * others.
 */
function needed(lines: Line[], kept: ReadonlySet<number>): Line[] {
  const wanted = new Set(kept);
  const useful: Line[] = [];
  for (const line of [...lines].reverse()) {
    if (!('draw' in line) && !line.gives.some((number) => wanted.has(number))) continue;
    useful.unshift(line);
    for (const [, number] of line.reads) wanted.add(number);
  }
  return useful;
}

/** Determines for each line which data no later line needs. */
function withLifetimes(lines: Line[], kept: ReadonlySet<number>, givenCount: number, constants: number[]) {
  const last = new Map<number, Line>();
  for (const line of lines) {
    for (const number of line.gives) last.set(number, line);
    for (const [, number] of line.reads) last.set(number, line);
  }
  const read = new Set(last.keys());
  const stays = new Set([...kept, ...constants]);
  for (const [number, line] of last) if (number >= givenCount && !stays.has(number)) line.frees.push(number);
  return {lines, read, made: new Set(lines.flatMap(({gives}) => gives))};
}

/** Builds the check that the kernels are still those of the backend in use. */
function areCurrent(lines: readonly Line[]): () => boolean {
  const {backend, name: backendName} = backendInUse();
  const configs = [...new Map(lines.flatMap((line) => ('draw' in line ? [] : [[line.name, line.config] as const])))];
  return () => {
    const inUse = backendInUse();
    if (inUse.backend !== backend || inUse.name !== backendName) return false;
    return configs.every(([name, config]) => getKernel(name, backendName) === config);
  };
}

function runnable(
  {lines, made}: ReturnType<typeof withLifetimes>,
  constants: {number: number; host: HostTensor}[],
  numbers: ReturnType<typeof numberedData>,
  kept: ReadonlySet<number>,
) {
  const {backend} = backendInUse();
  const size = numbers.count();
  // Written directly to the backend, so that tfjs does not count recordings as tensors.
  const write = ({values, tensor}: HostTensor) => backend.write(values, tensor.shape, tensor.dtype);
  const written = constants.map(({number, host}) => [number, write(host)] as const);
  const hosts = new Map(constants.map(({number, host}) => [number, host]));
  const mine = [...kept].filter((number) => made.has(number));
  return {
    /** Returns the number of data that existed when the program was compiled. */
    numberOf: (dataId: object): number => numbers.ofData(dataId),
    /** Whether the kernels are still those of the backend in use. */
    isCurrent: areCurrent(lines),
    /** Runs the kernels, on data in the order of `compile`. Kept data stays until `release`. */
    run(given: Data, known: Data = []) {
      const data: Data = new Array(size);
      for (let i = 0; i < given.length; i++) data[i] = given[i];
      for (let i = 0; i < known.length; i++) data[given.length + i] = known[i];
      for (const [number, dataId] of written) data[number] = dataId;
      const tensors: (Tensor | undefined)[] = [];
      const free = (number: number): void => {
        const dataId = data[number];
        const tensor = tensors[number];
        data[number] = undefined;
        if (tensor) tensor.dispose();
        else if (dataId) backend.disposeData(dataId);
      };
      try {
        for (const line of lines) runLine(line, data, tensors, free);
      } catch (error) {
        for (const number of made) free(number);
        throw error;
      }
      return {
        data,
        /** Creates a tensor of data from a run. */
        tensorAt({number, shape, dtype}: Place): Tensor {
          const host = hosts.get(number);
          // Copy a constant: the engine does not own its data, and would miscount references.
          if (host) return tensor(host.values, shape, dtype as 'float32');
          return tensorOf({dataId: data[number] as object, shape, dtype});
        },
        release: () => mine.forEach(free),
      };
    },
    dispose: (): void => written.forEach(([, dataId]) => void backend.disposeData(dataId)),
  };
}

function runLine(line: Line, data: Data, tensors: (Tensor | undefined)[], free: (number: number) => void): void {
  const outputs = 'draw' in line ? line.draw() : kernelOutputs(line, data);
  const {gives, frees} = line;
  for (let i = 0; i < gives.length; i++) {
    const output = (Array.isArray(outputs) ? outputs[i] : outputs) as TensorInfo;
    const number = gives[i] as number;
    data[number] = output.dataId;
    // Some kernels return tensors, which the engine counts.
    if ((output as Tensor).rank !== undefined) tensors[number] = output as Tensor;
  }
  for (let i = 0; i < frees.length; i++) free(frees[i] as number);
}

function kernelOutputs({config, call, reads}: KernelLine, data: Data): TensorInfo | TensorInfo[] {
  for (let i = 0; i < reads.length; i++) {
    const [info, number] = reads[i] as KernelLine['reads'][0];
    info.dataId = data[number] as object;
  }
  return config.kernelFunc(call);
}
