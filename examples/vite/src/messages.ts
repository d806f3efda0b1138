/** Steps of each run. */
export const STEPS = 400;

/** A message of the worker to the page. */
export type Message =
  /** The percentage of the rare points that the model of a run finds after a step. */
  {kind: 'progress'; run: string; step: number; found: number} | {kind: 'done'} | {kind: 'failed'; why: string};
