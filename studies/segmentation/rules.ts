import {
  aboveThreshold,
  all,
  categoricalFocalCrossentropy,
  type PerSampleLoss,
  randomK,
  type Selector,
  sparseCategoricalCrossentropy,
  topK,
} from 'ohem-tfjs';
import {PIXEL_KINDS} from './pixelKinds';

/** Weight of digits in the loss with class weights; that of the background is 1. */
export const DIGIT_WEIGHT = 8;

/** The name of the rule that draws pixels at random. */
export const RANDOM = 'random 25 %';

/** How a network is trained. */
export interface Rule {
  name: string;
  select: Selector;
  loss: PerSampleLoss;
  /** Whether the loss takes one-hot targets. */
  isOneHot?: true;
}

/** The rules that are compared; random draws depend on the seed. */
export function rulesFor(seed: number): Rule[] {
  const loss = sparseCategoricalCrossentropy();
  const classWeights = Array.from({length: PIXEL_KINDS}, (_, kind) => (kind === 0 ? 1 : DIGIT_WEIGHT));
  return [
    {name: 'all pixels', select: all(), loss},
    {name: RANDOM, select: randomK({ratio: 0.25, seed}), loss},
    {name: 'aboveThreshold', select: aboveThreshold({probability: 0.7, minRatio: 1 / 16}), loss},
    {name: 'topK 25 %', select: topK({ratio: 0.25}), loss},
    {name: 'topK 10 %', select: topK({ratio: 0.1}), loss},
    {name: 'focal loss', select: all(), loss: categoricalFocalCrossentropy({gamma: 2, alpha: 1}), isOneHot: true},
    {name: 'class weights', select: all(), loss: sparseCategoricalCrossentropy({classWeights})},
  ];
}
