import type {Settings} from '../experiment/results';
import {DEFAULT_RUNS, parseRuns} from '../experiment/runs';

/** So many steps that all runs together take some three minutes on two cores. */
export const DEFAULTS: Settings = {
  steps: 300,
  learningRate: 3e-4,
  seed: 1,
  backend: 'wasm',
  runs: parseRuns(DEFAULT_RUNS).map(({name}) => name),
};

export const DEFAULT_OUT = 'mnist-results';

/** Seconds. */
export const DEFAULT_SAVE_EVERY = 10;
