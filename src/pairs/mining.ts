import type {Tensor, Tensor2D} from '@tensorflow/tfjs-core';
import type {PairDistance} from './distances';

/**
 * Triplets: `P` slots per anchor. A type alias, because `tf.tidy` does not accept interfaces.
 *
 * Places are columns of the distances: rows of the batch, then those of the memory.
 */
export type Triplets = {
  /** `int32[B, P]`, the column of the positive. */
  positive: Tensor2D;
  /** `int32[B, P]`, the column of the negative. */
  negative: Tensor2D;
  /** `float32[B, P]`; 0 marks an unused slot. */
  weights: Tensor2D;
};

/** Pairs of each anchor with the `R` rows it is compared with. */
export type Pairs = {
  /** `float32[B, R]`, 1 for each positive of the anchor, 0 elsewhere. */
  positives: Tensor2D;
  /** `float32[B, R]`, 1 for each negative of the anchor, 0 elsewhere. */
  negatives: Tensor2D;
  /** Rule that decides which triplets of these pairs count. Omit for all. */
  triplets?: TripletRule;
};

/** Rule on the distances of triplets, evaluated for some anchors at a time. */
export type TripletRule = {
  /** `float32[B, R]`, smaller is nearer. */
  distances: Tensor2D;
  /** `float32[R, R]`, distances from positives to negatives. Omit if the rule does not use them. */
  between?: Tensor2D;
  /**
   * Masks the triplets that count, `float32[A, P, R]`, by their distances.
   *
   * Gets the distances of anchor and positive `[A, P, 1]`, of anchor and negative `[A, 1, R]` and,
   * with `between`, of positive and negative `[A, P, R]`.
   */
  keeps: (ofPositive: Tensor, ofNegative: Tensor, between: Tensor | undefined) => Tensor;
};

/** Optional inputs of a miner. */
export interface MiningContext {
  /** Rows to compare the anchors with, instead of those of the batch. */
  reference?: {embeddings: Tensor; labels: Tensor};
  /** `float32[B, R]`, the distances of the loss, smaller is nearer. The loss fills it in. */
  distances?: Tensor2D;
  /** Distance of the loss. The loss fills it in. */
  distance?: PairDistance;
  /** Number of steps so far; random miners draw anew for each step. Default 0. */
  step?: number;
}

/**
 * Chooses pairs or triplets from embeddings `float32[B, D]` and labels `int32[B]`.
 *
 * Gradients treat the choice as a constant, and a miner never reads from a GPU.
 */
export type Miner = (embeddings: Tensor, labels: Tensor, context?: MiningContext) => Triplets | Pairs;
