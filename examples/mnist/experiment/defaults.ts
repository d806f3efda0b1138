import type {Settings} from './results';
import {DEFAULT_RUNS, parseRuns} from './runs';

/** The number of steps with which all runs together take some three minutes on two cores. */
export const DEFAULTS: Settings = {
  steps: 300,
  learningRate: 3e-4,
  seed: 1,
  backend: 'wasm',
  runs: parseRuns(DEFAULT_RUNS).map(({name}) => name),
};
