import {type NamedTensorMap, type Tensor, tensor} from '@tensorflow/tfjs-core';
import {sizeOf} from './network';

/** Copies tensors, one after the other, into `target`. */
export function flattenInto(target: Float32Array, tensors: readonly Tensor[]): void {
  let at = 0;
  for (const each of tensors) {
    target.set(each.dataSync<'float32'>(), at);
    at += each.size;
  }
}

/** The numbers of tensors, one after the other. */
export function flattened(tensors: readonly Tensor[]): Float32Array {
  const numbers = new Float32Array(sizeOf(tensors));
  flattenInto(numbers, tensors);
  return numbers;
}

/**
 * Makes tensors of the names and shapes of `like` from numbers; they are the caller's to dispose.
 */
export function unflattened(
  numbers: Float32Array,
  like: readonly {name: string; shape: number[]; size: number}[],
): NamedTensorMap {
  let at = 0;
  const named = like.map(({name, shape, size}) => {
    at += size;
    return [name, tensor(numbers.slice(at - size, at), shape)] as const;
  });
  return Object.fromEntries(named);
}
