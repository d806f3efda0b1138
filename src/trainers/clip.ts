import {addN, div, maximum, mul, type NamedTensorMap, sqrt, square, sum} from '@tensorflow/tfjs-core';

/** Scales gradients down together so that their global norm, `√ Σ g²`, is at most `clipNorm`. */
export function clipByGlobalNorm(gradients: NamedTensorMap, clipNorm: number): NamedTensorMap {
  const norm = sqrt(addN(Object.values(gradients).map((gradient) => sum(square(gradient)))));
  const scale = div(clipNorm, maximum(norm, clipNorm));
  return Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, mul(gradient, scale)]));
}
