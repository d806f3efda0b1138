/**
 * Hard pairs: miners, losses of embeddings and their evaluation.
 * @module pairs
 */
export {type AngularOptions, angular} from './angular';
export {type BatchEasyHardOptions, batchEasyHard} from './batchEasyHard';
export {batchHard} from './batchHard';
export {type CollapseWatch, type CollapseWatchOptions, collapseWatch} from './collapseWatch';
export {type ContrastiveLossOptions, contrastiveLoss} from './contrastiveLoss';
export {
  type CrossBatchMemory,
  type CrossBatchMemoryOptions,
  crossBatchMemory,
  type SavedPairMemory,
} from './crossBatchMemory';
export type {DistanceOptions, PairDistance} from './distances';
export {type DistanceWeightedOptions, distanceWeighted} from './distanceWeighted';
export {embeddingSpread} from './embeddingSpread';
export {type HardContrastiveOptions, hardContrastive} from './hardContrastive';
export {type HardestShareOptions, hardestShare} from './hardestShare';
export {type Guide, type InBatchSoftmaxOptions, inBatchSoftmax, type TowerLoss} from './inBatchSoftmax';
export {type MarginLossOptions, marginLoss} from './marginLoss';
export {meanAveragePrecisionAtR} from './meanAveragePrecisionAtR';
export {type MinedNegatives, type MineHardNegativesOptions, mineHardNegatives} from './mineHardNegatives';
export type {Miner, MiningContext, Pairs, TripletRule, Triplets} from './mining';
export {type MultiSimilarityOptions, multiSimilarity} from './multiSimilarity';
export {type MultiSimilarityLossOptions, multiSimilarityLoss} from './multiSimilarityLoss';
export type {Dropped, NegativeRules} from './negativeRules';
export type {RetrievalMetric, RetrievalOptions} from './neighbours';
export {type NtXentOptions, ntXent} from './ntXent';
export type {PairLossOptions, PairMemory} from './pairLoss';
export {type PairMarginOptions, pairMargin} from './pairMargin';
export {type PkBatch, type PkBatchesOptions, pkBatches} from './pkBatches';
export {precisionAt1} from './precisionAt1';
export {type RecallAtKOptions, recallAtK} from './recallAtK';
export {semiHard} from './semiHard';
export {type SupervisedContrastiveOptions, supervisedContrastive} from './supervisedContrastive';
export type {TowerSimilarity} from './towers';
export {type TripletLossOptions, tripletLoss} from './tripletLoss';
export {type TripletMarginOptions, tripletMargin} from './tripletMargin';
export type {PerAnchor} from './tripletSlopes';
