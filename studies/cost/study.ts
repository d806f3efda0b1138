import {train} from '@tensorflow/tfjs-core';
import {type BackwardStrategy, categoricalCrossentropy} from 'ohem-tfjs';
import type {Study} from '../kit/study';
import {type Arm, type ArmRecord, type TogetherOptions, trainTogether} from '../kit/trainTogether';
import {costReport} from './report';

const STRATEGIES: BackwardStrategy[] = ['masked', 'recompute', 'pruned'];
const SIZES: [n: number, k: number][] = [
  [512, 384],
  [1024, 512],
];

const arm = (n: number, k: number, backward: BackwardStrategy): Arm => ({
  name: n === k ? `${n}/${k} plain` : `${n}/${k} ${backward}`,
  n,
  k,
  rule: 'hardest',
  variant: () => ({
    step: {backward, loss: categoricalCrossentropy(), reduction: 'mean'},
    optimizer: train.adam,
  }),
});

const ARMS: Arm[] = [
  arm(512, 512, 'masked'),
  ...SIZES.flatMap(([n, k]) => STRATEGIES.map((backward) => arm(n, k, backward))),
];

/** Not those of the reference experiment, which takes many thousand steps to 95 %. */
const OPTIONS: Omit<TogetherOptions, 'steps' | 'seed'> = {learningRate: 0.006, measureEvery: 20};

/** How long the ways to compute the same gradient take to the same accuracy. */
export const cost: Study<ArmRecord[]> = {
  name: 'cost',
  about: 'time to 90, 93 and 95 % test accuracy, by how gradients are computed',
  seeds: 5,
  steps: 400,
  settings: (steps) => ({
    steps,
    ...OPTIONS,
    loss: 'categoricalCrossentropy',
    optimizer: 'adam',
    arms: ARMS.map(({name}) => name),
  }),
  train: (seed, digits, {steps, arms}) =>
    trainTogether(
      ARMS.filter(({name}) => (arms as string[]).includes(name)),
      digits,
      {steps, seed, ...OPTIONS},
    ),
  report: costReport,
};
