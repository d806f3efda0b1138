/** @file Numbers that both sides know: this file is AssemblyScript and TypeScript. */

/** The kinds of jobs. */
export const PRODUCT = 0;
export const FILTER_GRADIENT = 1;
export const INPUT_GRADIENT = 2;
export const SQUARES = 3;
export const ROW_SUM = 4;
export const SGD = 5;
export const ACTIVATION = 6;

/** The activations with a gradient. */
export const RELU = 0;
export const TANH = 1;
export const SIGMOID = 2;

/** Columns of a packed panel. */
export const PANEL = 8;
