import {checkOptionNames, rangeError, typeError} from '../checks';
import type {Sampler} from '../types';

const NAME = 'stale';

/** Samplers that never rescore rows. */
const NEVER_RESCORE = ['infoBatch', 'randomSubset'];

export interface StaleOptions {
  /** Interval in epochs between forward passes over left-out rows; an integer ≥ 2. Default 3. */
  every?: number;
}

/**
 * Makes a sampler choose by stale losses: it rescores only at the end of every `every`-th epoch.
 *
 *     rescored in epoch e = the rescored rows of inner  if (e + 1) mod every = 0,   none otherwise
 *
 * In between, only the trained rows run forward, and all others keep their last loss. With
 * {@link selectiveBackprop} this is Stale-SB; with {@link hardestRows} it is mining over the data
 * set at the cost of its share.
 *
 * @param inner  a sampler that rescores rows, such as `hardestRows` or `kakurenbo`.
 * @param options  see {@link StaleOptions}.
 * @returns a sampler for `fitOhem({sampler})`, with the state and the needs of `inner`.
 * @throws TypeError if `inner` is not a sampler, or one that never rescores; RangeError or
 *   TypeError for a wrong option.
 *
 * @example
 * const sampler = stale(hardestRows({ratio: 0.5}), {every: 2});
 * const scores = {losses: Float32Array.of(0.9, 0.1, 2, 0.3)};
 * const at = {epochs: 10, seed: 0, scores};
 * const chosenIn = (epoch) => sampler.choose(sampler.init(4), {...at, epoch});
 * chosenIn(1).rescore;   // Int32Array [1, 3]
 * chosenIn(2).rescore;   // undefined
 *
 * @see Jiang et al., Selective-Backprop, 2019 (arXiv:1910.00762), the section on Stale-SB
 */
export function stale<S>(inner: Sampler<S>, options: StaleOptions = {}): Sampler<S> {
  checkInner(inner);
  checkOptionNames(NAME, options, ['every']);
  const {every = 3} = options;
  if (!Number.isInteger(every) || every < 2) {
    throw rangeError(NAME, 'every', 'be an integer >= 2', every, 'Without stale a sampler rescores after every epoch.');
  }
  return {
    samplerName: NAME,
    // A record of its own, because options of the inner sampler may have the same names.
    options: {every, inner: inner.samplerName, ...(inner.options && {innerOptions: inner.options})},
    ...(inner.needs && {needs: inner.needs}),
    init: (size) => inner.init(size),
    choose(state, at) {
      const {rescore, ...others} = inner.choose(state, at);
      return (at.epoch + 1) % every === 0 && rescore ? {...others, rescore} : others;
    },
    next: (state, seen) => inner.next(state, seen),
  };
}

function checkInner(inner: Sampler): void {
  const parts: Partial<Sampler> = inner ?? {};
  if (!(['init', 'choose', 'next'] as const).every((part) => typeof parts[part] === 'function')) {
    const remedy = 'Selectors choose within a batch: pass hardestRows({ratio}) in place of topK({ratio}).';
    throw typeError(NAME, 'inner', 'be a sampler', inner, remedy);
  }
  if (!NEVER_RESCORE.includes(inner.samplerName)) return;
  throw typeError(NAME, 'inner', 'be a sampler that rescores rows', inner.samplerName, 'Use it without stale.');
}
