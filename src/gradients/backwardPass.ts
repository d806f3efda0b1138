import type {NamedTensorMap, Scalar, Tensor, Tensor1D, Variable} from '@tensorflow/tfjs-core';
import type {Selection} from '../types';
import type {Batch} from './batch';
import type {Pruning} from './pruning';

/** The losses of all rows, and what is needed to select from them. */
export type Scores = {
  /** `float32[B]`, weighted. */
  losses: Tensor1D;
  /** `float32[B]`, what the rows are ranked by; NaN where a row must not be selected. */
  ranking: Tensor1D;
};

/** A selection that may be trained on. */
export type Settled = {
  /** As the selector gave it, with weight 0 for what is not finite. */
  selection: Selection;
  /** `int32[K]`, rows to compute with: as `selection.indices`, but a row that counts 0 is replaced by one that counts. */
  rows: Tensor1D;
  /** `float32[K]`, what each of these rows counts in the objective. */
  counts: Tensor1D;
};

/** What a trainer asks of a backward pass: the parts of a step, without the order in which they run. */
export interface BackwardTask {
  batch: Batch;
  batchSize: number;
  /** Rows whose inputs are not finite are replaced by others: they must not reach a product, not even times 0. */
  cleanInputs(): Tensor[];
  predict(xs: Tensor[], training: boolean): Tensor[];
  score(batch: Batch, predictions: Tensor[]): Scores;
  select(scores: Scores, predictions: Tensor[]): Settled;
  /** What is differentiated: the losses of the kept rows times what they count, `float32[]`, regularisers included. */
  objective(kept: Batch, predictions: Tensor[], counts: Tensor1D): Scalar;
  variables: Variable[];
  /** How far the backward pass can be cut to the selected rows; undefined where that is not known. */
  pruning: Pruning | undefined;
}

export type BackwardOutcome = {
  scores: Scores;
  selection: Selection;
  gradients: NamedTensorMap;
  /** `bool[]`: false where the gradients are not finite, though the selected losses are. */
  sound: Scalar;
  /** False where the ops of the model were not those of `pruning`: then all rows ran backward. */
  planFits?: boolean;
};

/**
 * One way from a batch to the gradients of its selected rows. All of them give the same gradient for a model whose rows
 * do not interact; they differ in what they compute for it. Runs inside a `tidy`.
 */
export type BackwardPass = (task: BackwardTask) => BackwardOutcome;

/** The ways there are, by the names that `ohemStep` takes. */
export type BackwardStrategy = 'pruned' | 'recompute' | 'masked';
