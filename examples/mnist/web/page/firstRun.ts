import type {Settings} from '../../experiment/results';

/**
 * What a visitor sees first: small enough that a processor takes several steps of each run in a
 * second, and that a batch can be pictured whole. It keeps three quarters of a batch, as 512/384 of
 * the experiment does. An address that sets anything begins at the defaults of the experiment
 * instead, as on the command line.
 *
 * An illustration and no result: the settings were chosen from a few so that the runs part within
 * seconds. With others mining may be level or behind.
 */
export const FIRST_RUN: Omit<Settings, 'backend'> & {digits: number} = {
  runs: ['64/48', '64/48 random', '64/64'],
  steps: 160,
  learningRate: 0.001,
  seed: 1,
  digits: 6000,
};
