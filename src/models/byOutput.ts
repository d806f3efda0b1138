import {Tensor} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {typeError} from '../checks';

/** Something for each output of a model: one for all of them, a list in their order, or a record by their names. */
export type PerOutput<T> = T | T[] | Record<string, T>;

/** Lists what is meant for each output of a model; what a record leaves out is undefined. */
export function byOutput<T>(
  where: string,
  argument: string,
  model: LayersModel,
  given: PerOutput<T>,
): (T | undefined)[] {
  const names = model.outputNames;
  if (Array.isArray(given)) return checkedList(where, argument, names, given);
  if (isRecord<T>(given)) return byName(where, argument, names, given);
  return names.map(() => given);
}

/** Lists tensors in the order of `names`, from one tensor, a list of them, or a record by name; none may be missing. */
export function tensorsByName(where: string, argument: string, names: string[], given: PerOutput<Tensor>): Tensor[] {
  const listed = given instanceof Tensor ? [given] : given;
  const tensors = Array.isArray(listed) ? listed : byName(where, argument, names, listed ?? {});
  if (!tensors.every((tensor) => tensor instanceof Tensor)) {
    const constraint = `be a tensor, or tensors for ${names.join(', ')}`;
    throw typeError(where, argument, constraint, given, 'Make tensors of arrays with tf.tensor().');
  }
  return checkedList(where, argument, names, tensors);
}

function byName<T>(where: string, argument: string, names: string[], record: Record<string, T>): (T | undefined)[] {
  const unknown = Object.keys(record).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw typeError(where, argument, `have the names ${names.join(', ')}`, unknown);
  return names.map((name) => record[name]);
}

function checkedList<T>(where: string, argument: string, names: string[], list: T[]): T[] {
  if (list.length !== names.length) {
    throw typeError(where, argument, `have ${names.length} items (${names.join(', ')})`, `${list.length}`);
  }
  return list;
}

function isRecord<T>(given: PerOutput<T>): given is Record<string, T> {
  return typeof given === 'object' && given !== null && !(given instanceof Tensor);
}
