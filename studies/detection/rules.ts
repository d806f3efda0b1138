import {randomUniform, type Tensor1D} from '@tensorflow/tfjs-core';
import {
  all,
  categoricalFocalCrossentropy,
  hardNegatives,
  type PerSampleLoss,
  positiveNegativeQuota,
  type Selector,
  scored,
  sparseCategoricalCrossentropy,
  topKPerGroup,
} from 'ohem-tfjs';
import {KINDS} from '../kit/scenes/scene';
import {nmsOfHardest} from './nmsOfHardest';

/** Anchors of a scene that rules with a fixed number keep: as many as 3 : 1 on average. */
export const PER_SCENE = 48;

/**
 * Anchors of neighbouring sizes and shapes in one cell overlap by 0.55 to 0.67, so the paper's
 * threshold of 0.7 would suppress nothing.
 */
export const SUPPRESSION = {iouThreshold: 0.5, among: 8} as const;

/** The name of the rule whose negatives are drawn at random. */
export const RANDOM = 'random 3 : 1';

/** How a detector is trained. */
export interface Rule {
  name: string;
  select: Selector;
  /** Of the kinds; from probabilities. */
  loss: PerSampleLoss;
  /** Whether the loss takes one-hot targets. */
  isOneHot?: true;
  /** Whether the selector reads the boxes of the anchors. */
  readsBoxes?: true;
}

/** The rules that are compared; random draws depend on the seed. */
export function rulesFor(seed: number, scenes: number): Rule[] {
  const loss = sparseCategoricalCrossentropy();
  // The focal loss of RetinaNet: 0.25 for objects, 0.75 for background.
  const alpha = Array.from({length: KINDS}, (_, kind) => (kind === 0 ? 0.75 : 0.25));
  return [
    {name: 'all anchors', select: all(), loss},
    {name: RANDOM, select: scored(hardNegatives({ratio: 3}), randomScore(seed)), loss},
    {name: 'hardNegatives 3 : 1', select: hardNegatives({ratio: 3}), loss},
    {name: 'topKPerGroup', select: topKPerGroup({k: PER_SCENE}), loss},
    {name: 'nmsTopK', select: nmsOfHardest({k: PER_SCENE * scenes, ...SUPPRESSION}), loss, readsBoxes: true},
    {name: 'focal loss', select: all(), loss: categoricalFocalCrossentropy({gamma: 2, alpha}), isOneHot: true},
    {name: 'positiveNegativeQuota', select: positiveNegativeQuota({k: PER_SCENE, positiveFraction: 0.25}), loss},
  ];
}

/** A number for each row that has nothing to do with its loss, anew in each step. */
const randomScore =
  (seed: number) =>
  (losses: Tensor1D, {step = 0}: {step?: number}): Tensor1D =>
    // A string, because tfjs takes the number 0 for no seed.
    randomUniform(losses.shape, 0, 1, 'float32', `${seed}/${step}`);
