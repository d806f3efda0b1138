import {all, type Granularity, randomK, type Selector, topK} from 'ohem-tfjs';

/** How a model is trained. */
export interface Rule {
  name: string;
  select: Selector;
  granularity: Granularity;
}

const RATIO = 0.5;

/** All rows, the harder half of them, and a random half. */
export const rowRules = (seed: number): Rule[] => [
  {name: 'all()', select: all(), granularity: 'sample'},
  ...halvesOf('sample', seed, ''),
];

/** All steps of all sequences, and halves of the steps, or of the sequences. */
export const stepRules = (seed: number): Rule[] => [
  {name: 'all()', select: all(), granularity: 'element'},
  ...halvesOf('element', seed, ', by step'),
  ...halvesOf('sample', seed, ', by sequence'),
];

function halvesOf(granularity: Granularity, seed: number, unit: string): Rule[] {
  const mined = `topK({ratio: ${RATIO}})${unit}`;
  return [
    {name: mined, select: topK({ratio: RATIO}), granularity},
    {name: randomOf(mined), select: randomK({ratio: RATIO, seed}), granularity},
  ];
}

/** The name of the rule that keeps as much as a rule that mines, at random. */
export const randomOf = (mined: string): string => mined.replace('topK', 'randomK');
