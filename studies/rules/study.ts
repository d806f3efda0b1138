import {argMax, type Tensor1D} from '@tensorflow/tfjs-core';
import {
  all,
  gradientNormBound,
  importanceSampling,
  linear,
  percentileSampling,
  randomK,
  rankPressure,
  rankSampling,
  type Selector,
  scheduled,
  scored,
  smallestK,
  topK,
  topKPerGroup,
  trimmedTopK,
} from 'ohem-tfjs';
import type {RunVariant} from '../../examples/mnist/experiment/trainRun';
import type {Study} from '../kit/study';
import {type Arm, type ArmRecord, type TogetherOptions, trainTogether} from '../kit/trainTogether';
import {rulesReport} from './report';

const [N, K] = [512, 384];
const RATIO = K / N;
const STEPS = 400;

/** Class by class, since "which image" does not tell digits apart. */
const byClass: RunVariant['rowContext'] = (ys) => ({group: argMax(ys, 1) as Tensor1D});

/** As it is typed, with `seed` for the seed of the run. */
const RULES: [name: string, select: (seed: number) => Selector, rowContext?: RunVariant['rowContext']][] = [
  ['all()', all],
  [`topK({k: ${K}})`, () => topK({k: K})],
  [`randomK({k: ${K}, seed})`, (seed) => randomK({k: K, seed})],
  [`smallestK({k: ${K}})`, () => smallestK({k: K})],
  [`trimmedTopK({k: ${K}, skip: 16})`, () => trimmedTopK({k: K, skip: 16})],
  [`topKPerGroup({ratio: ${RATIO}})`, () => topKPerGroup({ratio: RATIO}), byClass],
  [`rankSampling({ratio: ${RATIO}, seed})`, (seed) => rankSampling({ratio: RATIO, seed})],
  [`rankPressure({k: ${K}, pressure: 10, seed})`, (seed) => rankPressure({k: K, pressure: 10, seed})],
  // A row is kept with the probability u^power, of which the mean over all ranks u is 1 / (power +
  // 1) = 384 / 512.
  ['percentileSampling({power: 1 / 3, seed})', (seed) => percentileSampling({power: 1 / 3, seed})],
  [`importanceSampling({k: ${K}, seed})`, (seed) => importanceSampling({k: K, seed})],
  // From all rows to half of them: the mean over the run is 384.
  [
    `scheduled(topK, linear({from: 1, to: ${2 * RATIO - 1}, steps: ${STEPS}}))`,
    () => scheduled(topK, linear({from: 1, to: 2 * RATIO - 1, steps: STEPS})),
  ],
  [`scored(topK({k: ${K}}), gradientNormBound())`, () => scored(topK({k: K}), gradientNormBound())],
];

const ARMS: Arm[] = RULES.map(([name, select, rowContext]) => ({
  name,
  n: N,
  k: name === 'all()' ? N : K,
  rule: 'hardest',
  variant: (seed) => ({step: {select: select(seed)}, ...(rowContext && {rowContext})}),
}));

const OPTIONS: Omit<TogetherOptions, 'steps' | 'seed'> = {learningRate: 3e-4, measureEvery: 50};

/** Every rule that needs nothing but losses and labels, at the same number of rows backward. */
export const rules: Study<ArmRecord[]> = {
  name: 'rules',
  about: `every selector that applies, ${K} of ${N} rows backward, on the reference experiment`,
  seeds: 3,
  steps: STEPS,
  settings: (steps) => ({steps, ...OPTIONS, rules: RULES.map(([name]) => name)}),
  train: (seed, digits, {steps, rules: trained}) =>
    trainTogether(
      ARMS.filter(({name}) => (trained as string[]).includes(name)),
      digits,
      {steps, seed, ...OPTIONS},
    ),
  report: rulesReport,
};
