/** @file All use of tfjs engine internals: recording ops on a gradient tape, running ops off it. */

import {
  clone,
  customGrad,
  type DataTypeMap,
  dispose,
  engine,
  env,
  getGradient,
  getKernel,
  type KernelBackend,
  type KernelConfig,
  keep,
  type NamedTensorMap,
  registerKernel,
  reshape,
  type Scalar,
  scalar,
  Tensor,
  type TensorContainer,
  type TensorInfo,
  type TypedArray,
  type Variable,
} from '@tensorflow/tfjs-core';
import {uniformFrom} from './random';

/** Attributes of a kernel, such as `{transposeA, transposeB}`. */
export type Attributes = Readonly<Record<string, unknown>>;

/** A single run of a kernel. */
export interface KernelRun {
  name: string;
  inputs: Record<string, Tensor>;
  outputs: Tensor[];
  attrs: Attributes | undefined;
}

/** One op on a tape: its inputs and outputs, its saved tensors, and its gradient. */
export interface TapedOp extends KernelRun {
  /**
   * A kernel, a custom gradient, the copy that tfjs makes of a tensor before saving it, or an
   * {@link ownOp}.
   */
  kind: 'kernel' | 'custom' | 'copy' | 'own';
  saved: Tensor[];
  /** For a custom gradient: the tensors that `saved` are copies of; some backends copy the data. */
  originals: Tensor[];
  /** Computes the gradient of each input from those of the outputs. Absent if tfjs has none. */
  gradient: ((dys: Tensor[], saved: Tensor[], attrs: Attributes | undefined) => Gradients) | undefined;
  /** The kernels that a custom gradient ran forward, with their attributes. */
  inner: KernelRun[];
  /** For an op of this library: see {@link OwnOp}. */
  ofSoftmax?: OwnOp['ofSoftmax'];
}

/** Functions that compute the gradient of each input, by input name. */
export type Gradients = Record<string, () => Tensor>;

/** The ops recorded on a tape. */
export interface Tape {
  ops: readonly TapedOp[];
  /** Ids of data that was copied to the host during the recording. */
  reads: ReadonlySet<object>;
  /** Whether values were read to check them. */
  isChecked: boolean;
  /** Disposes the tensors that the ops saved. */
  dispose(): void;
}

/** A gradient function in the signature of tfjs: with a list if the op has several outputs. */
type EngineGradient = (dy: Tensor | Tensor[], saved: Tensor[], attrs: Attributes | undefined) => Gradients;

/** Internals of the wasm backend; absent from other backends. */
interface HeapBackend {
  typedArrayFromHeap?(info: TensorInfo): TypedArray;
}

/** Internals of the engine that this file relies on; none is public. */
interface EngineInternals {
  state: {
    activeTape?: unknown[] | null;
    gradientDepth: number;
    kernelDepth: number;
    profiling?: boolean;
    tensorInfo?: {get(dataId: object): {backend: KernelBackend} | undefined};
  };
  backend: KernelBackend & HeapBackend;
  backendName: string;
  makeTensor(values: unknown, ...others: unknown[]): Tensor;
  makeTensorFromTensorInfo(info: TensorInfo): Tensor;
  moveData(backend: KernelBackend, dataId: object): void;
  addTapeNode(
    name: string,
    inputs: Record<string, Tensor>,
    outputs: Tensor[],
    gradient: EngineGradient | null | undefined,
    saved: Tensor[] | undefined,
    attrs: Attributes | undefined,
  ): void;
  runKernel(name: string, inputs: Record<string, Tensor>, attrs?: Attributes): Tensor | Tensor[];
  read(dataId: object): unknown;
  readSync(dataId: object): unknown;
  readToGPU(dataId: object, options?: object): unknown;
}

type TapeState = Pick<EngineInternals['state'], 'activeTape' | 'gradientDepth' | 'kernelDepth'>;

const NONE: KernelRun[] = [];
const NO_TAPE: TapeState = {activeTape: null, gradientDepth: 0, kernelDepth: 0};

function internals(): EngineInternals {
  return engine() as unknown as EngineInternals;
}

/** Checks that this build of tfjs has the internals that recording needs. */
export function canRecord(): boolean {
  const {state, addTapeNode, runKernel} = internals() as Partial<EngineInternals>;
  if (typeof addTapeNode !== 'function' || typeof runKernel !== 'function') return false;
  return Number.isInteger(state?.gradientDepth) && Number.isInteger(state?.kernelDepth);
}

/**
 * Runs `f` on a tape of its own, even inside a caller's gradient, whose tape stays unchanged. Runs
 * within a `tidy`, because tfjs names the copies it saves after the scope.
 *
 * @returns the result of `f`, and the tape, which the caller disposes. If `f` throws, the tape is
 *   disposed.
 */
export function record<T>(f: () => T): {result: T; tape: Tape} {
  const own = {activeTape: [], gradientDepth: 1, kernelDepth: 0};
  const listener = recording(own.activeTape);
  const disposeSaved = () => {
    for (const {saved} of listener.ops) dispose(saved.filter((tensor) => !tensor.isDisposed));
  };
  try {
    const result = withState(own, f);
    const {ops, reads, isChecked} = listener;
    return {result, tape: {ops, reads, isChecked: isChecked(), dispose: disposeSaved}};
  } catch (error) {
    disposeSaved();
    throw error;
  } finally {
    listener.stop();
  }
}

/** The innermost active recording. */
let recorder: Recorder | undefined;

interface Recorder {
  tape: unknown[];
  isChecked: boolean;
  addOwn(op: OwnOp, output: Tensor): void;
}

/** An op of this library, whose gradient has a closed form. */
export interface OwnOp {
  name: string;
  inputs: Record<string, Tensor>;
  forward: () => Tensor;
  /**
   * Computes the gradient of each input from the output gradient and the inputs, or from some rows
   * of both.
   */
  gradient: (dy: Tensor, inputs: Tensor[]) => Gradients;
  /**
   * For an input that is a softmax with no other reader: computes the gradient with respect to its
   * logits.
   */
  ofSoftmax?: {input: string; gradient: (dy: Tensor, inputs: Tensor[]) => Tensor} | undefined;
}

/**
 * Runs an op of this library: as one op on our own tape; on any other tape as its ops, which tfjs
 * differentiates.
 */
export function ownOp(op: OwnOp): Tensor {
  const {activeTape, kernelDepth} = internals().state;
  if (!recorder || activeTape !== recorder.tape || kernelDepth > 0) return op.forward();
  const output = offTape(op.forward);
  recorder.addOwn(op, output);
  return output;
}

/**
 * Runs a kernel of this library, and registers it on first use. If its name is taken, by another
 * version of the library in the same page, it gets another one.
 */
export function runOwnKernel(config: KernelConfig, inputs: Record<string, Tensor>, attrs?: Attributes): Tensor {
  const {backendName, kernelFunc} = config;
  let kernelName = config.kernelName;
  let known = getKernel(kernelName, backendName);
  for (let version = 2; known && known.kernelFunc !== kernelFunc; version++) {
    kernelName = `${config.kernelName}-${version}`;
    known = getKernel(kernelName, backendName);
  }
  if (!known) registerKernel({...config, kernelName});
  return internals().runKernel(kernelName, inputs, attrs) as Tensor;
}

/** Whether ops are known to be on no tape, so that one without a gradient may run. */
export function isOffTape(): boolean {
  const {state} = internals();
  return canRecord() && (state.gradientDepth === 0 || state.kernelDepth > 0);
}

/** Counts the ops on the tape so far. */
export function opsOnTape(): number {
  return (internals() as Partial<EngineInternals>).state?.activeTape?.length ?? 0;
}

/**
 * Reads a tensor to check its values. A recording does not count this as a read that the
 * computation may depend on.
 */
export function valuesToCheck(tensor: Tensor): ArrayLike<number> {
  if (recorder) recorder.isChecked = true;
  const view = onHeap(tensor);
  if (view) return view;
  const {readSync} = Object.getPrototypeOf(engine()) as Partial<EngineInternals>;
  if (!canRecord() || !readSync) return tensor.dataSync();
  return readSync.call(internals(), tensor.dataId) as ArrayLike<number>;
}

/**
 * Reads the numbers of a tensor in main memory, on wasm without a copy. They are valid until the
 * next op, which may move the memory, and must not be changed. A recording counts it as a read.
 */
export function numbersIn<D extends 'float32' | 'int32' | 'bool'>(tensor: Tensor): DataTypeMap[D] {
  // A recording replaces the method of the engine.
  const isWatched = Object.hasOwn(engine(), 'readSync');
  const view = isWatched ? undefined : onHeap(tensor);
  return (view as DataTypeMap[D] | undefined) ?? tensor.dataSync<D>();
}

/**
 * Returns a view of the memory of a tensor; undefined if the backend in use has none, or not this
 * tensor: to move it there would move the memory of the others.
 */
function onHeap(tensor: Tensor): TypedArray | undefined {
  const {dtype} = tensor;
  const isOfNumbers = dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
  return isOfNumbers && isHere(tensor) ? internals().backend.typedArrayFromHeap?.(tensor) : undefined;
}

/** Whether the data of a tensor is known to be in the backend in use. */
function isHere({dataId, isDisposed}: Tensor): boolean {
  const {state, backend} = internals() as Partial<EngineInternals>;
  return !isDisposed && backend !== undefined && state?.tensorInfo?.get(dataId)?.backend === backend;
}

/** Runs `f` off any tape: its ops are constants to every surrounding gradient. */
export function offTape<T>(f: () => T): T {
  if (!canRecord()) return offTapeByCustomGradient(f as () => TensorContainer) as T;
  const {gradientDepth, kernelDepth} = internals().state;
  return gradientDepth === 0 && kernelDepth === 0 ? f() : withState(NO_TAPE, f);
}

function withState<T>(state: TapeState, f: () => T): T {
  const {activeTape, gradientDepth, kernelDepth} = internals().state;
  Object.assign(internals().state, state);
  try {
    return f();
  } finally {
    Object.assign(internals().state, {activeTape, gradientDepth, kernelDepth});
  }
}

/** Returns the gradient of an op: its own, or the one registered for its name. */
function gradientOf(name: string, given: EngineGradient | null | undefined): TapedOp['gradient'] {
  const gradient = given ?? (getGradient(name)?.gradFunc as unknown as EngineGradient | undefined);
  return gradient && ((dys, of, by) => gradient(takesList(name, dys) ? dys : (dys[0] as Tensor), of, by));
}

/** Puts ops of this library on a tape, and tracks the op being added. */
function ownOps(target: EngineInternals, tape: unknown[]) {
  let latest: OwnOp | undefined;
  const mine: Recorder = {
    tape,
    isChecked: false,
    addOwn(op, output) {
      latest = op;
      const saved = offTape(() => Object.values(op.inputs).map((input) => keep(clone(input))));
      const gradient: EngineGradient = (dy, inputs) => op.gradient(dy as Tensor, inputs);
      target.addTapeNode(op.name, op.inputs, [output], gradient, saved, undefined);
    },
  };
  const takeOwn = (): OwnOp | undefined => {
    const op = latest;
    latest = undefined;
    return op;
  };
  return {mine, takeOwn};
}

/**
 * Observes the engine. A tape node has no attributes, so `addTapeNode` is wrapped. Kernels inside a
 * custom gradient are on no tape, so `runKernel` is wrapped too. The wrappers are properties of the
 * instance.
 */
function recording(tape: unknown[]) {
  const target = internals();
  const restore = restorer(target, ['addTapeNode', 'runKernel', 'read', 'readSync', 'readToGPU']);
  const {addTapeNode, runKernel, read, readSync, readToGPU} = target;
  const [ops, reads] = [[] as TapedOp[], new Set<object>()];
  /** The original of each copy, by the id of the copy. */
  const copied = new Map<number, Tensor>();
  let inner: KernelRun[] = [];
  /** tfjs runs this kernel, and then tapes the copy itself. */
  let latestCopy: Tensor | undefined;
  const [outer, {mine, takeOwn}] = [recorder, ownOps(target, tape)];
  recorder = mine;
  target.addTapeNode = function (name, inputs, outputs, gradient, saved = [], attrs) {
    addTapeNode.call(this, name, inputs, outputs, gradient, saved, attrs);
    // This recording may contain another one, whose ops are constants here.
    if (this.state.activeTape !== tape) return;
    const isCopy = attrs !== undefined && outputs.length === 1 && outputs[0] === latestCopy;
    const own = takeOwn();
    const kind = own ? 'own' : gradient == null ? 'kernel' : isCopy ? 'copy' : 'custom';
    const isCustom = kind === 'custom';
    ops.push({
      ...{kind, name, inputs: withoutGaps(inputs), outputs, saved, attrs},
      originals: isCustom ? saved.map((tensor) => copied.get(tensor.id) ?? tensor) : saved,
      gradient: gradientOf(name, gradient),
      inner: isCustom ? inner : NONE,
      ...(own?.ofSoftmax && {ofSoftmax: own.ofSoftmax}),
    });
    if (kind === 'copy') copied.set((outputs[0] as Tensor).id, inputs.x as Tensor);
    else if (inner.length > 0) inner = [];
  };
  target.runKernel = function (name, inputs, attrs) {
    const result = runKernel.call(this, name, inputs, attrs);
    if (name === 'Identity') latestCopy = result as Tensor;
    // At depth 1 a custom gradient runs the kernel; deeper down, another kernel does for internal
    // use.
    if (this.state.activeTape === tape && this.state.kernelDepth === 1)
      inner.push({name, inputs: withoutGaps(inputs), outputs: [result].flat(), attrs});
    return result;
  };
  const noting = (original: Read): Read => noted(original, reads);
  Object.assign(target, {read: noting(read), readSync: noting(readSync), readToGPU: noting(readToGPU)});
  return {
    ops,
    reads,
    isChecked: () => mine.isChecked,
    stop() {
      recorder = outer;
      restore();
    },
  };
}

type Read = (this: EngineInternals, dataId: object, options?: object) => unknown;
const noted = (original: Read, reads: Set<object>): Read =>
  function (dataId, options) {
    reads.add(dataId);
    return original.call(this, dataId, options);
  };

/** A kernel run, with its inputs by name or in a list. */
export interface KernelCall {
  name: string;
  inputs: Record<string, TensorInfo | TensorInfo[] | null | undefined> | TensorInfo[];
  outputs: Tensor[];
  attrs: Attributes | undefined;
}

/** A tensor created from numbers on the host. */
export interface HostTensor {
  tensor: Tensor;
  values: TypedArray;
  /** For random numbers: what drew them, or null if unknown. */
  drawnBy?: object | null;
}

export type EngineEvent = KernelCall | HostTensor;

export interface Captured<T> {
  result: T;
  events: EngineEvent[];
  /** Whether data was copied to the host. */
  hasRead: boolean;
}

/**
 * Runs `f`, and lists the kernels that ran and the tensors that the host created, in order.
 *
 * Work inside a kernel is not listed. `Math.random` is observed, because nothing else distinguishes
 * a tensor of random numbers from a constant.
 *
 * @param running  returns the object at work, if known.
 */
export function capture<T>(f: () => T, running?: () => object | undefined): Captured<T> {
  const target = internals();
  const restore = [restorer(target, ['makeTensor', 'runKernel', ...READING]), restorer(Math, ['random'])];
  const {runKernel, makeTensor} = target;
  const {random} = Math;
  const reads = notedReads(target);
  const events: EngineEvent[] = [];
  const copies: KernelCall[] = [];
  let depth = 0;
  let isDrawn = false;
  Math.random = () => {
    isDrawn = true;
    return random();
  };
  target.makeTensor = function (values, ...others) {
    const tensor = makeTensor.call(this, values, ...others);
    if (depth === 0) {
      const drawn = isDrawn && {drawnBy: running?.() ?? null};
      events.push({tensor, values: values as TypedArray, ...drawn});
    }
    isDrawn = false;
    return tensor;
  };
  target.runKernel = function (name, inputs, attrs) {
    depth++;
    try {
      // Copy the infos now: a variable may be assigned other data later.
      const given = infosOf(inputs);
      const outputs = runKernel.call(this, name, inputs, attrs);
      const event = {name, inputs: given, outputs: [outputs].flat(), attrs};
      if (depth === 1) events.push(event, ...copies.splice(0));
      // tfjs copies saved tensors while the kernel is still running.
      else if (name === 'Identity') copies.push(event);
      return outputs;
    } finally {
      depth--;
    }
  };
  try {
    const result = f();
    return {result, events, hasRead: reads.size > 0};
  } finally {
    for (const undo of restore) undo();
  }
}

const READING = ['read', 'readSync', 'moveData'] as const;

/** Records the ids of data that is read. */
function notedReads(target: EngineInternals): Set<object> {
  const {read, readSync, moveData} = target;
  const reads = new Set<object>();
  Object.assign(target, {read: noted(read, reads), readSync: noted(readSync, reads)});
  // Moving data from another backend reads it, but no computation depends on that read.
  target.moveData = function (backend, dataId) {
    const before = reads.has(dataId);
    moveData.call(this, backend, dataId);
    if (!before) reads.delete(dataId);
  };
  return reads;
}

type Given = Tensor | Tensor[] | null | undefined;

const infoOf = ({dataId, shape, dtype}: Tensor): TensorInfo => ({dataId, shape, dtype});
const infosIn = (given: Given) => (Array.isArray(given) ? given.map(infoOf) : given && infoOf(given));

function infosOf(inputs: Record<string, Given> | Tensor[]): KernelCall['inputs'] {
  if (Array.isArray(inputs)) return inputs.map(infoOf);
  return Object.fromEntries(Object.entries(inputs).map(([name, given]) => [name, infosIn(given)]));
}

/** Checks that this build of tfjs has the internals needed to run kernels without the engine. */
export function canReplay(): boolean {
  const {makeTensor, makeTensorFromTensorInfo, moveData, backend, backendName} =
    internals() as Partial<EngineInternals>;
  const needed = [
    makeTensor,
    makeTensorFromTensorInfo,
    moveData,
    backend?.incRef,
    backend?.disposeData,
    backend?.write,
  ];
  const isObserved = env().getBool('DEBUG') || internals().state.profiling;
  const isWatchable = Object.getOwnPropertyDescriptor(Math, 'random')?.writable === true;
  return (
    canRecord() &&
    isWatchable &&
    !isObserved &&
    backendName !== undefined &&
    needed.every((f) => typeof f === 'function')
  );
}

/** Lists all registered backends, initialised or not. */
export function registeredBackends(): string[] {
  return Object.keys(engine().registryFactory);
}

/**
 * Runs `f` with random draws that depend only on the seed, the same on every backend. tfjs draws on
 * the host, from seeds that it takes from `Math.random`.
 */
export function withDraws<T>(seed: string, f: () => T): T {
  const restore = restorer(Math, ['random']);
  Math.random = uniformFrom(seed);
  try {
    return f();
  } finally {
    restore();
  }
}

/** Returns the backend in use, with its name, for running kernels without the engine. */
export function backendInUse(): {backend: KernelBackend; name: string} {
  return {backend: internals().backend, name: internals().backendName};
}

/** Creates a tensor of existing data; the backend counts one more reference. */
export function tensorOf(info: TensorInfo): Tensor {
  internals().backend.incRef(info.dataId);
  return internals().makeTensorFromTensorInfo(info);
}

/** Returns another tensor of the same data; by an op only if the data is in another backend. */
export function aliasOf<T extends Tensor>(tensor: T): T {
  const {makeTensorFromTensorInfo} = internals() as Partial<EngineInternals>;
  const isPlain = makeTensorFromTensorInfo && tensor.dtype !== 'complex64' && isHere(tensor);
  return (isPlain ? tensorOf(tensor) : reshape(tensor, tensor.shape)) as T;
}

/**
 * Returns a function that restores these properties of an object to their current state.
 *
 * In reverse order: V8 turns an object into a slow dictionary for good if any property but the
 * latest is deleted.
 */
function restorer<T extends object>(target: T, names: readonly (keyof T)[]): () => void {
  const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(target, name)] as const).reverse();
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(target, name, descriptor);
      else delete target[name];
    }
  };
}

/** Whether the gradient takes a list. For a varying number of outputs, tfjs may pass a tensor. */
const takesList = (name: string, dys: Tensor[]): boolean => dys.length > 1 || name === 'Unpack' || name === 'SplitV';

/** Removes absent optional inputs, such as a bias. */
function withoutGaps(inputs: Record<string, Tensor | null | undefined>): Record<string, Tensor> {
  for (const name in inputs) {
    if (inputs[name] != null) continue;
    return Object.fromEntries(Object.entries(inputs).filter((entry): entry is [string, Tensor] => entry[1] != null));
  }
  return inputs as Record<string, Tensor>;
}

/**
 * Differentiates a scalar by variables as `tf.variableGrads` does, if ops cannot be recorded. It
 * also accepts a function that depends on no variable, and leaks nothing when it throws.
 *
 * @param f  returns the scalar, and any other results of the forward pass.
 */
export function differentiateByTfjs<T extends TensorContainer>(
  f: () => {objective: Scalar; seen: T},
  variables: Variable[],
): {seen: T; gradients: NamedTensorMap} {
  let seen: T | undefined;
  let failure: {error: unknown} | undefined;
  let value: Tensor | undefined;
  const forward = () => {
    // tfjs keeps the tape of a function that throws, so rethrow only after the tape has ended.
    try {
      const outcome = f();
      seen = outcome.seen;
      for (const tensor of tensorsIn(seen)) keep(tensor);
      return outcome.objective;
    } catch (error) {
      failure = {error};
      return scalar(0);
    }
  };
  try {
    const {grads, ...outcome} = engine().gradients(forward, variables, undefined, true);
    value = outcome.value;
    if (failure) throw failure.error;
    const named = variables.map(({name}, i) => [name, grads[i]] as const);
    return {
      seen: unkept(seen as T) as T,
      gradients: Object.fromEntries(named.filter((entry): entry is [string, Tensor] => entry[1] != null)),
    };
  } finally {
    dispose(tensorsIn((seen ?? null) as TensorContainer));
    value?.dispose();
  }
}

/** tfjs has no `stopGradient`, but it records nothing inside a custom gradient. */
function offTapeByCustomGradient<T extends TensorContainer>(f: () => T): T {
  let result: T | undefined;
  const made: Tensor[] = [];
  const forward = () => {
    const value = scalar(0);
    result = f();
    // Ids increase: tensors from before stay the caller's.
    made.push(...tensorsIn(result).filter(({id}) => id > value.id));
    for (const tensor of made) keep(tensor);
    return {value, gradFunc: (): Tensor[] => []};
  };
  customGrad(forward)().dispose();
  try {
    // The copies are on the tape, but lead to no variable: their originals were not recorded.
    return unkept(result as T) as T;
  } finally {
    dispose(made);
  }
}

/** Lists the tensors in a tensor, list or record. */
function tensorsIn(container: TensorContainer): Tensor[] {
  if (container === null || typeof container !== 'object') return [];
  if (container instanceof Tensor) return [container];
  return Object.values(container).flatMap((item) => tensorsIn(item as TensorContainer));
}

/** Returns views of the same tensors for a `tidy` to dispose; a reshape shares their data. */
function unkept(container: TensorContainer): TensorContainer {
  if (container === null || typeof container !== 'object') return container;
  if (container instanceof Tensor) return reshape(container, container.shape);
  if (Array.isArray(container)) return container.map(unkept);
  return Object.fromEntries(Object.entries(container).map(([name, item]) => [name, unkept(item as TensorContainer)]));
}
