import {it} from 'vitest';

/**
 * `it` where a condition holds; elsewhere nothing, rather than a test that is skipped: what is not
 * promised is not tested.
 */
export const itIf = (holds: boolean): ((title: string, test: () => void | Promise<void>) => void) =>
  holds ? it : () => undefined;
