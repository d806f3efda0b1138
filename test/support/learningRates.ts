/** @file A specimen or two of each learning rate that the library has. A new one is a line here. */
import {cosine, inverseSqrt, oneCycle, type RateByProgress, stepDecay} from 'ohem-tfjs';

export interface RateSpecimen {
  /** As it is exported. */
  member: string;
  options: string;
  rate: RateByProgress;
  /** The largest rate that it may give. */
  largest: number;
  /** The rates at the beginning and at the end of the run. */
  first: number;
  last: number;
  /** The shares of the run at which the rate jumps. */
  jumps?: number[];
}

export const LEARNING_RATES: readonly RateSpecimen[] = [
  {member: 'cosine', options: '{from: 0.1}', rate: cosine({from: 0.1}), largest: 0.1, first: 0.1, last: 0},
  {
    member: 'cosine',
    options: '{from: 3, to: 0.5, warmup: 0.25}',
    rate: cosine({from: 3, to: 0.5, warmup: 0.25}),
    ...{largest: 3, first: 0, last: 0.5},
  },
  {
    member: 'inverseSqrt',
    options: '{from: 0.01, warmup: 0.25}',
    rate: inverseSqrt({from: 0.01, warmup: 0.25}),
    ...{largest: 0.01, first: 0, last: 0.005},
  },
  {
    member: 'oneCycle',
    options: '{max: 1}',
    rate: oneCycle({max: 1}),
    ...{largest: 1, first: 0.04, last: 4e-6},
  },
  {
    member: 'oneCycle',
    options: '{max: 2, pctStart: 1, divFactor: 8}',
    rate: oneCycle({max: 2, pctStart: 1, divFactor: 8}),
    ...{largest: 2, first: 0.25, last: 2},
  },
  {
    member: 'oneCycle',
    options: '{max: 2, pctStart: 0, finalDiv: 1}',
    rate: oneCycle({max: 2, pctStart: 0, finalDiv: 1}),
    ...{largest: 2, first: 2, last: 0.08},
  },
  {
    member: 'stepDecay',
    options: '[[0.5, 0.1], [0.75, 0.01]], {from: 0.2}',
    rate: stepDecay(
      [
        [0.5, 0.1],
        [0.75, 0.01],
      ],
      {from: 0.2},
    ),
    ...{largest: 0.2, first: 0.2, last: 0.002, jumps: [0.5, 0.75]},
  },
  {
    member: 'stepDecay',
    options: '[[0.3, 2]], {from: 1, warmup: 0.3}',
    rate: stepDecay([[0.3, 2]], {from: 1, warmup: 0.3}),
    ...{largest: 2, first: 0, last: 2, jumps: [0.3]},
  },
];
