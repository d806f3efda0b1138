import {DEFAULTS, type Settings} from '../../../examples/shards/training/settings';

/** A run that takes a moment. */
export const tinySettings = (given: Partial<Settings> = {}): Settings => ({
  ...DEFAULTS,
  ...{rows: 24, k: 7, steps: 8, hidden: 5, digits: 60},
  ...given,
});
