import {parseRuns} from '../../examples/mnist/experiment/runs';
import type {Study} from '../kit/study';
import {type ArmRecord, trainTogether} from '../kit/trainTogether';
import {referenceReport} from './report';

/** The four runs of the original, and of each smaller selection as many rows at random. */
const ARMS = parseRuns('512/512,1024/512,512/384,1024/128,512/384-random,1024/512-random,1024/128-random');

const LEARNING_RATE = 3e-4;
const MEASURE_EVERY = 50;
const PICTURE_EVERY = 25;

/** The reference experiment for several seeds, with a random control for each selection. */
export const reference: Study<ArmRecord[]> = {
  name: 'reference',
  about: 'the four runs of the reference experiment, and random controls of the same sizes',
  seeds: 7,
  steps: 1000,
  settings: (steps) => ({
    steps,
    learningRate: LEARNING_RATE,
    measureEvery: MEASURE_EVERY,
    pictureEvery: PICTURE_EVERY,
    runs: ARMS.map(({name}) => name),
  }),
  train: (seed, digits, {steps}) =>
    trainTogether(ARMS, digits, {
      steps,
      learningRate: LEARNING_RATE,
      seed,
      measureEvery: MEASURE_EVERY,
      pictureEvery: PICTURE_EVERY,
    }),
  report: referenceReport,
};
