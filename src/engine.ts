/** @file All contact with the engine of tfjs: recording ops on a gradient tape, running ops off it. */

import {
  clone,
  customGrad,
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

/** One run of a kernel. */
export interface KernelRun {
  name: string;
  inputs: Record<string, Tensor>;
  outputs: Tensor[];
  attrs: Attributes | undefined;
}

/** One op on a tape: its inputs and outputs, what it saved, and how it is differentiated. */
export interface TapedOp extends KernelRun {
  /** A kernel, a custom gradient, the copy that tfjs makes of a tensor before it saves it, or one of {@link ownOp}. */
  kind: 'kernel' | 'custom' | 'copy' | 'own';
  saved: Tensor[];
  /** Of a custom gradient: the tensors that `saved` are copies of; some backends copy the data. */
  originals: Tensor[];
  /** Computes the gradient of each input from those of the outputs. Absent if tfjs has none. */
  gradient: ((dys: Tensor[], saved: Tensor[], attrs: Attributes | undefined) => Gradients) | undefined;
  /** The kernels that a custom gradient ran forward, with their attributes. */
  inner: KernelRun[];
  /** Of an op of this library: see {@link OwnOp}. */
  ofSoftmax?: OwnOp['ofSoftmax'];
}

/** A function for the gradient of each input, by the name of the input. */
export type Gradients = Record<string, () => Tensor>;

/** The ops that ran while a tape was on. */
export interface Tape {
  ops: readonly TapedOp[];
  /** Data that was copied to the host meanwhile, by its id. */
  reads: ReadonlySet<object>;
  /** Whether values were looked at to check them. */
  isChecked: boolean;
  /** Disposes the tensors that the ops saved. */
  dispose(): void;
}

/** A gradient function as tfjs calls it: with a list if the op has several outputs. */
type EngineGradient = (dy: Tensor | Tensor[], saved: Tensor[], attrs: Attributes | undefined) => Gradients;

/** The parts of the engine that this file relies on; none of them is public. */
interface EngineInternals {
  state: {activeTape?: unknown[] | null; gradientDepth: number; kernelDepth: number; profiling?: boolean};
  backend: KernelBackend;
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
  const depths = [state?.gradientDepth, state?.kernelDepth];
  return [addTapeNode, runKernel].every((f) => typeof f === 'function') && depths.every(Number.isInteger);
}

/**
 * Runs `f` on a tape of its own, also inside the gradient of somebody else, whose tape stays as it
 * is. Runs within a `tidy`, as tfjs names the copies that it saves by the scope.
 *
 * @returns the result of `f`, and the tape, to be disposed by the caller. If `f` throws, the tape
 * is disposed.
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

/** The recording that is on, innermost. */
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
  /** Computes the gradient of each input, from that of the output and from the inputs, or some rows of both. */
  gradient: (dy: Tensor, inputs: Tensor[]) => Gradients;
  /** If this input is a softmax that nothing else reads: computes the gradient by its logits. */
  ofSoftmax?: {input: string; gradient: (dy: Tensor, inputs: Tensor[]) => Tensor} | undefined;
}

/** Runs an op of this library: as one op if it is recorded; by its ops, which tfjs differentiates, on anybody else's tape. */
export function ownOp(op: OwnOp): Tensor {
  const {activeTape, kernelDepth} = internals().state;
  if (!recorder || activeTape !== recorder.tape || kernelDepth > 0) return op.forward();
  const output = offTape(op.forward);
  recorder.addOwn(op, output);
  return output;
}

/** Runs a kernel of this library, which is registered when it is needed first. */
export function runOwnKernel(config: KernelConfig, inputs: Record<string, Tensor>): Tensor {
  const {kernelName, backendName} = config;
  if (!getKernel(kernelName, backendName)) registerKernel(config);
  return internals().runKernel(kernelName, inputs) as Tensor;
}

/** Counts the ops that are on the tape so far. */
export function opsOnTape(): number {
  return (internals() as Partial<EngineInternals>).state?.activeTape?.length ?? 0;
}

/** Reads a tensor to check its values. A recording does not take that for a read on which the computation may depend. */
export function valuesToCheck(tensor: Tensor): ArrayLike<number> {
  if (recorder) recorder.isChecked = true;
  const {readSync} = Object.getPrototypeOf(engine()) as Partial<EngineInternals>;
  if (!canRecord() || !readSync) return tensor.dataSync();
  return readSync.call(internals(), tensor.dataId) as ArrayLike<number>;
}

/** Runs `f` off any tape: its ops are constants to every gradient around it. */
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

/** How an op is differentiated: as it says, or as is registered for its name. */
function gradientOf(name: string, given: EngineGradient | null | undefined): TapedOp['gradient'] {
  const gradient = given ?? (getGradient(name)?.gradFunc as unknown as EngineGradient | undefined);
  return gradient && ((dys, of, by) => gradient(takesList(name, dys) ? dys : (dys[0] as Tensor), of, by));
}

/** Puts ops of this library on a tape, and knows which one is being put there. */
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
 * Listens to the engine. A tape node has no attributes, so the function that adds nodes is wrapped;
 * kernels inside a custom gradient are on no tape, so the function that runs kernels is wrapped
 * too. The wrappers are properties of the instance.
 */
function recording(tape: unknown[]) {
  const target = internals();
  const restore = restorer(target, ['addTapeNode', 'runKernel', 'read', 'readSync', 'readToGPU']);
  const {addTapeNode, runKernel, read, readSync, readToGPU} = target;
  const [ops, reads] = [[] as TapedOp[], new Set<object>()];
  /** What a copy is of, by its id. */
  const copied = new Map<number, Tensor>();
  let inner: KernelRun[] = [];
  /** tfjs runs this kernel, and then tapes the copy itself. */
  let latestCopy: Tensor | undefined;
  const [outer, {mine, takeOwn}] = [recorder, ownOps(target, tape)];
  recorder = mine;
  target.addTapeNode = function (name, inputs, outputs, gradient, saved = [], attrs) {
    addTapeNode.call(this, name, inputs, outputs, gradient, saved, attrs);
    // Within this recording there may be another one, whose ops are constants here.
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
    // At depth 1 a custom gradient runs it; deeper down another kernel does, for its own purposes.
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

/** A kernel that ran, with the inputs that it was given: by name, or in a list. */
export interface KernelCall {
  name: string;
  inputs: Record<string, TensorInfo | TensorInfo[] | null | undefined> | TensorInfo[];
  outputs: Tensor[];
  attrs: Attributes | undefined;
}

/** A tensor that was made of numbers on the host. */
export interface HostTensor {
  tensor: Tensor;
  values: TypedArray;
  /** If its numbers are random: who drew them, or null if that is not known. */
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
 * Runs `f`, and lists the kernels that ran and the tensors that the host made, in their order.
 *
 * What happens inside of a kernel is not listed. `Math.random` is watched meanwhile: nothing else tells a
 * tensor of random numbers from a constant.
 *
 * @param running  says who is at work, where that is known.
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
      // Taken now: a variable may be assigned other data later.
      const given = infosOf(inputs);
      const outputs = runKernel.call(this, name, inputs, attrs);
      const event = {name, inputs: given, outputs: [outputs].flat(), attrs};
      if (depth === 1) events.push(event, ...copies.splice(0));
      // tfjs copies what it saves while the kernel is still at work.
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

/** Notes the data that is read. */
function notedReads(target: EngineInternals): Set<object> {
  const {read, readSync, moveData} = target;
  const reads = new Set<object>();
  Object.assign(target, {read: noted(read, reads), readSync: noted(readSync, reads)});
  // What comes from another backend is read on its way, and decides nothing.
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

/** Checks that this build of tfjs has the internals that kernels need to run without the engine. */
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

/** The names of all backends that are registered, ready or not. */
export function registeredBackends(): string[] {
  return Object.keys(engine().registryFactory);
}

/**
 * Runs `f` with draws that depend on the seed alone, the same on every backend: tfjs draws on the
 * host, from seeds that it takes from `Math.random`.
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

/** The backend in use, with its name: where kernels run without the engine. */
export function backendInUse(): {backend: KernelBackend; name: string} {
  return {backend: internals().backend, name: internals().backendName};
}

/** Makes a tensor of data that is there; the backend counts one more use of the data. */
export function tensorOf(info: TensorInfo): Tensor {
  internals().backend.incRef(info.dataId);
  return internals().makeTensorFromTensorInfo(info);
}

/**
 * Returns a function that makes an object's own properties of these names what they are now.
 *
 * In reverse: V8 turns an object into a slow dictionary for good if any property but the latest is deleted.
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

/** Whether the gradient takes a list. For a varying number of outputs tfjs may pass a tensor. */
const takesList = (name: string, dys: Tensor[]): boolean => dys.length > 1 || name === 'Unpack' || name === 'SplitV';

/** Inputs without those that an op may lack, such as a bias. */
function withoutGaps(inputs: Record<string, Tensor | null | undefined>): Record<string, Tensor> {
  for (const name in inputs) {
    if (inputs[name] != null) continue;
    return Object.fromEntries(Object.entries(inputs).filter((entry): entry is [string, Tensor] => entry[1] != null));
  }
  return inputs as Record<string, Tensor>;
}

/**
 * Differentiates a scalar by variables as `tf.variableGrads` does, where ops cannot be recorded. It
 * also takes a function that depends on no variable, and leaves nothing behind when it throws.
 *
 * @param f  returns the scalar, and whatever else is wanted of the forward pass.
 */
export function differentiateByTfjs<T extends TensorContainer>(
  f: () => {objective: Scalar; seen: T},
  variables: Variable[],
): {seen: T; gradients: NamedTensorMap} {
  let seen: T | undefined;
  let failure: {error: unknown} | undefined;
  let value: Tensor | undefined;
  const forward = () => {
    // tfjs keeps the tape of a function that throws, so the error waits until the tape is wound up.
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
    // Ids rise: what was there before stays the caller's.
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

/** The tensors in a tensor, list or record. */
function tensorsIn(container: TensorContainer): Tensor[] {
  if (container === null || typeof container !== 'object') return [];
  if (container instanceof Tensor) return [container];
  return Object.values(container).flatMap((item) => tensorsIn(item as TensorContainer));
}

/** The same tensors for a `tidy` to dispose; a reshape shares their data. */
function unkept(container: TensorContainer): TensorContainer {
  if (container === null || typeof container !== 'object') return container;
  if (container instanceof Tensor) return reshape(container, container.shape);
  if (Array.isArray(container)) return container.map(unkept);
  return Object.fromEntries(Object.entries(container).map(([name, item]) => [name, unkept(item as TensorContainer)]));
}
