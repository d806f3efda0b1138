import {checkClassCounts, checkOptionNames, checkUnitInterval} from '../checks';

const NAME = 'classBalanced';

export interface ClassBalancedOptions {
  /** Strength of the weighting, in [0, 1): 0 weights all classes alike. Default 0.9999. */
  beta?: number;
}

/**
 * Computes class weights by the effective number of examples of each class.
 *
 *     w_c ∝ (1 − β) / (1 − β^{n_c}),    Σ_c w_c = C
 *
 * With β = 0 all classes weigh 1. As β approaches 1, the weights approach 1 / n_c. The result is a
 * `classWeight` for `ohemStep` and `fitOhem`; for a loss pass
 * `classWeights: Object.values(weights)`. For weights that start late in a run (deferred
 * re-weighting), pass `fitOhem` a function of its progress:
 *
 *     classWeight: ({progress}) => classBalanced(counts, {beta: progress < 0.8 ? 0 : 0.9999})
 *
 * @param counts  the number of examples of each class: integers ≥ 1.
 * @param options  `beta`, β in [0, 1), default 0.9999.
 * @returns the weight of each class, `{0: w_0, 1: w_1, …}`.
 * @throws RangeError if a count is not an integer ≥ 1 or `beta` is not in [0, 1); TypeError if
 *   `counts` is not a list.
 *
 * @example
 * const weights = classBalanced([1000, 100, 10], {beta: 0.999});
 * [weights[0], weights[1], weights[2]];   // [0.04216, 0.28, 2.677839]
 *
 * @see Cui et al., Class-Balanced Loss, CVPR 2019, §4 (arXiv:1901.05555); Cao et al.,
 *   LDAM-DRW, NeurIPS 2019, §3.3, Algorithm 1 (arXiv:1906.07413)
 */
export function classBalanced(counts: ArrayLike<number>, options: ClassBalancedOptions = {}): Record<number, number> {
  checkOptionNames(NAME, options, ['beta']);
  const {beta = 0.9999} = options;
  checkClassCounts(NAME, counts, 'Its weight would be infinite: leave out a class without examples.');
  checkUnitInterval(NAME, 'beta', beta);
  // Computes 1 − β^n without cancellation near 1.
  const weights = Array.from(counts, (count) => (1 - beta) / -Math.expm1(count * Math.log(beta)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Object.fromEntries(weights.map((weight, label) => [label, (weight / total) * weights.length]));
}
