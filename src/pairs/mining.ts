import type {Tensor, Tensor2D} from '@tensorflow/tfjs-core';
import type {PairDistance} from './distances';

/**
 * Triplets, a row of `P` slots for each anchor. A type alias, because `tf.tidy` takes no interfaces.
 *
 * Places are columns of the distances: rows of the batch, then those of the memory.
 */
export type Triplets = {
  /** `int32[B, P]`, the place of the positive. */
  positive: Tensor2D;
  /** `int32[B, P]`, the place of the negative. */
  negative: Tensor2D;
  /** `float32[B, P]`; 0 marks an unused slot. */
  weights: Tensor2D;
};

/** Pairs of each anchor with the `R` rows that it is compared with. */
export type Pairs = {
  /** `float32[B, R]`, 1 for each positive of the anchor, 0 elsewhere. */
  positives: Tensor2D;
  /** `float32[B, R]`, 1 for each negative of the anchor, 0 elsewhere. */
  negatives: Tensor2D;
  /** Says which triplets of these pairs count. Omit for all. */
  triplets?: TripletRule;
};

/** Decides about triplets by their distances, for some anchors at a time. */
export type TripletRule = {
  /** `float32[B, R]`, smaller is nearer. */
  distances: Tensor2D;
  /** `float32[R, R]`, from positives to negatives. Omit if the rule does not need them. */
  between?: Tensor2D;
  /**
   * Returns 1 for each triplet that counts and 0 for the others, `float32[A, P, R]`, from the
   * distances of anchor and positive `[A, P, 1]`, of anchor and negative `[A, 1, R]` and, with
   * `between`, of positive and negative `[A, P, R]`.
   */
  keeps: (ofPositive: Tensor, ofNegative: Tensor, between: Tensor | undefined) => Tensor;
};

/** What a miner may read beside embeddings and labels. */
export interface MiningContext {
  /** Rows that anchors are compared with, in place of those of the batch. */
  reference?: {embeddings: Tensor; labels: Tensor};
  /** `float32[B, R]` in the distance of the loss, smaller is nearer; a loss fills it in. */
  distances?: Tensor2D;
  /** The distance of the loss; a loss fills it in. */
  distance?: PairDistance;
  /** Steps taken so far. Miners that draw draw anew for each. Default 0. */
  step?: number;
}

/**
 * Chooses pairs or triplets from embeddings `float32[B, D]` and labels `int32[B]`.
 *
 * The choice is a constant to every gradient, and nothing is read from a GPU.
 */
export type Miner = (embeddings: Tensor, labels: Tensor, context?: MiningContext) => Triplets | Pairs;
