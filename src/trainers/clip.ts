import {abs, addN, div, max, maximum, mul, type NamedTensorMap, sqrt, square, stack, sum} from '@tensorflow/tfjs-core';

/** Scales gradients down together so that their global norm, `√ Σ g²`, is at most `clipNorm`. */
export function clipByGlobalNorm(gradients: NamedTensorMap, clipNorm: number): NamedTensorMap {
  const terms = Object.values(gradients);
  // In units of the largest entry, since squares of large ones overflow.
  const unit = maximum(max(stack(terms.map((gradient) => max(abs(gradient))))), 1e-30);
  const norm = mul(unit, sqrt(addN(terms.map((gradient) => sum(square(div(gradient, unit)))))));
  const scale = div(clipNorm, maximum(norm, clipNorm));
  return Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, mul(gradient, scale)]));
}
