import {type Tensor1D, tensor1d} from '@tensorflow/tfjs-core';
import type {SelectionContext} from '../types';

/**
 * Gives `size` numbers, each `shape` of a uniform number in (0, 1): the same for the same seed and step.
 *
 * They are made on the host, in float64. A logarithm differs in the last bit from backend to backend, and so, now and then, would
 * what is drawn; and float32 has no number between 1 − 6e-8 and 1, where the largest of many lie.
 */
export function noise(
  size: number,
  seed: number,
  {step = 0}: SelectionContext,
  shape: (uniform: number) => number,
): Tensor1D {
  const uniform = uniformFrom(`${seed}/${step}`);
  return tensor1d(new Float32Array(size).map(() => shape(uniform())));
}

/** Noise that, added to log-weights, makes the k largest sums a draw of k by these weights, one after the other and none twice. */
export function gumbelNoise(size: number, seed: number, context: SelectionContext): Tensor1D {
  return noise(size, seed, context, (uniform) => -Math.log(-Math.log(uniform)));
}

/** Uniform numbers in (0, 1) from a text, never 0 nor 1: sfc32 (public domain, C. Doty-Humphrey). */
function uniformFrom(text: string): () => number {
  let [a, b, c] = [hashed(text, 1), hashed(text, 2), hashed(text, 3)];
  let counter = 1;
  const next = () => {
    const mixed = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + mixed) | 0;
    return ((mixed >>> 0) + 0.5) / 2 ** 32;
  };
  // Texts that are much alike have hashes that are; twelve rounds and they no longer show.
  for (let round = 0; round < 12; round++) next();
  return next;
}

/** FNV-1a (public domain) of a text, another one for each `salt`. */
function hashed(text: string, salt: number): number {
  let hash = 0x811c9dc5 + salt;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) as number), 0x01000193);
  return hash;
}
