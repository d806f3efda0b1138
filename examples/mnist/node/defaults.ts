export const DEFAULT_OUT = 'mnist-results';

/** Seconds. */
export const DEFAULT_SAVE_EVERY = 10;
