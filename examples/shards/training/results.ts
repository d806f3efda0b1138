/** What one shard, or the one process, has to show at the end. */
export interface ShardResult {
  shard: number;
  /** SHA-256 of weights and momenta. */
  fingerprint: string;
  /** Only of shard 0, and of the one process. */
  weights?: Float32Array;
  /** Milliseconds of each step. */
  ms: number[];
  /** Rows that the shard kept, in each step. */
  kept: number[];
  /** Bytes that the shard sent to others and received from them, over all steps. */
  traffic: Traffic;
}

export interface Traffic {
  sent: number;
  received: number;
  /** What of both was losses and thresholds, not gradients. */
  losses: number;
}

export type OnStep = (step: number) => void;
