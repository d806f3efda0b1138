import {
  clone,
  type DataTypeMap,
  dispose,
  getBackend,
  keep,
  ready,
  reshape,
  setBackend,
  Tensor,
  tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {lock} from './lock';
import {partsOf, type Stateful, statefulLayers} from './model';

/** Temporary use of a model on other backends. */
export interface BackendVisits<T> {
  /**
   * Runs `f` on a backend, with copies of the weights and states of the model.
   *
   * @param f  gets copies of the given tensors, and a function that resets weights and states. It
   *   disposes what it creates.
   * @throws Error if the backend does not start.
   */
  to<R>(backend: string, f: (given: T, rewind: () => void) => Promise<R>): Promise<R>;
  /**
   * Restores the original backend. Between visits the model has its own tensors, on that backend.
   */
  end(): Promise<void>;
}

/**
 * Prepares visits of a model to other backends, on copies. Otherwise a tensor used on another
 * backend would move there by a synchronous read, which WebGPU lacks.
 *
 * @param where  the function name that errors show.
 * @param given  tensors, in any nesting of lists and records, that visits use.
 */
export async function backendVisits<T>(where: string, model: LayersModel, given: T): Promise<BackendVisits<T>> {
  // Steps of a concurrent training run would be lost.
  const unlock = lock(where, model);
  try {
    return await prepared(model, given, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function prepared<T>(model: LayersModel, given: T, unlock: () => void): Promise<BackendVisits<T>> {
  await ready();
  const home = getBackend();
  const held = heldBy(model);
  const values = await hostCopies([...held.tensors, ...tensorsIn(given)]).catch((error) => {
    held.dispose();
    throw error;
  });
  return {
    async to(backend, f) {
      if (!(await setBackend(backend))) throw new Error(`the backend ${backend} does not start`);
      const copies = new Map<Tensor, Tensor>();
      const copyOf = (original: Tensor) => copies.get(original) as Tensor;
      const rewind = () => held.replace(copyOf);
      try {
        for (const [original, copy] of values) copies.set(original, keep(onDevice(copy)));
        rewind();
        return await f(replaced(given, copyOf), rewind);
      } finally {
        held.restore();
        dispose([...copies.values()]);
      }
    },
    async end() {
      held.dispose();
      unlock();
      await setBackend(home);
    },
  };
}

/** A recurrent cell with a dropout mask, which it keeps until its next call. */
interface Masked {
  dropoutMask?: Tensor | Tensor[] | null;
  recurrentDropoutMask?: Tensor | Tensor[] | null;
}

/** Holds the weights and states of a model, so that others can temporarily replace them. */
function heldBy(model: LayersModel) {
  const variables = [...new Set(model.weights.map((weight) => weight.read() as Variable))];
  /** Views that keep the data of the weights alive. */
  const own = variables.map((variable) => keep(reshape(variable, variable.shape)));
  const layers = statefulLayers(model).map((layer) => {
    return {layer: layer as Stateful, states: layer.states_, kept: layer.keptStates.length};
  });
  const masked = partsOf(model).filter((part) => 'dropoutMask' in part) as Masked[];
  const leave = () => {
    for (const {layer, states, kept} of layers) {
      if (layer.states_ !== states) dispose(layer.states_ ?? []);
      dispose(layer.keptStates.splice(kept).flat());
      layer.states_ = states;
    }
    for (const cell of masked) {
      dispose([cell.dropoutMask ?? [], cell.recurrentDropoutMask ?? []].flat());
      Object.assign(cell, {dropoutMask: null, recurrentDropoutMask: null});
    }
  };
  return {
    tensors: [...variables, ...layers.flatMap(({states}) => states)],
    replace(copyOf: (original: Tensor) => Tensor) {
      for (const variable of variables) variable.assign(copyOf(variable));
      leave();
      for (const {layer, states} of layers) layer.states_ = states.map((state) => keep(clone(copyOf(state))));
    },
    restore() {
      for (const [i, variable] of variables.entries()) variable.assign(own[i] as Tensor);
      leave();
    },
    dispose: () => dispose(own),
  };
}

interface HostCopy extends Pick<Tensor, 'shape' | 'dtype'> {
  values: DataTypeMap[keyof DataTypeMap];
}

async function hostCopies(originals: Tensor[]): Promise<Map<Tensor, HostCopy>> {
  const copies = new Map<Tensor, HostCopy>();
  for (const original of originals) copies.set(original, await hostCopy(original));
  return copies;
}

async function hostCopy(original: Tensor): Promise<HostCopy> {
  const {shape, dtype} = original;
  // Copy: on cpu, a read returns the memory of the tensor itself.
  return {values: (await original.data<keyof DataTypeMap>()).slice(), shape, dtype};
}

const onDevice = ({values, shape, dtype}: HostCopy) => tensor(values, shape, dtype);

/** Lists the tensors in a nesting of lists and records. */
function tensorsIn(given: unknown): Tensor[] {
  if (given instanceof Tensor) return [given];
  return isNesting(given) ? Object.values(given).flatMap(tensorsIn) : [];
}

/** Copies a nesting, with each tensor replaced. */
function replaced<T>(given: T, by: (original: Tensor) => Tensor): T {
  if (given instanceof Tensor) return by(given) as T;
  if (!isNesting(given)) return given;
  if (Array.isArray(given)) return given.map((item) => replaced(item, by)) as T;
  return Object.fromEntries(Object.entries(given).map(([name, item]) => [name, replaced(item, by)])) as T;
}

function isNesting(given: unknown): given is object {
  return Array.isArray(given) || Object.getPrototypeOf(given ?? 0) === Object.prototype;
}
