/** A mined step beside a plain one: the same model, batch and backend. */
export interface SpeedRecord {
  /** As it is shown. */
  model: string;
  backend: 'cpu' | 'wasm';
  threads: number;
  /** Share of the rows that the mined step backpropagates. */
  kept: number;
  /** Median milliseconds of `trainOnBatch` over all rows. */
  plainMs: number;
  minedMs: number;
  /** The same step of this library, with all rows kept; omit if it was not measured. */
  allMs?: number;
}

/** The same, as it is shown. */
export interface SpeedStep extends SpeedRecord {
  /** Time of the mined step, by that of the plain one. */
  ratio: number;
  /** Time of the step with all rows kept, by that of the plain one. */
  allRatio?: number;
}
