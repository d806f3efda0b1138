import {randomK, type Selector, topK} from 'ohem-tfjs';
import type {Run} from './results';

/** The rule by which a run chooses the rows that it backpropagates. */
export function selectorFor({k, rule}: Run, seed: number): Selector {
  return rule === 'random' ? randomK({k, seed}) : topK({k});
}
