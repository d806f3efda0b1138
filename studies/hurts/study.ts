import {dispose} from '@tensorflow/tfjs-core';
import type {TrainAndTest} from '../../examples/mnist/experiment/trainRun';
import type {Study} from '../kit/study';
import {trainInTurn} from '../kit/trainInTurn';
import type {Batch} from './batches';
import {FEW_DIGITS, fewDigits} from './fewDigits';
import {NEXT_SYMBOLS, nextSymbols} from './nextSymbols';
import {AUTOENCODER, noisyDigits} from './noisyDigits';
import type {HurtsRecord, Quality} from './record';
import {hurtsReport} from './report';
import {rowRules, stepRules} from './rules';
import {learnerOf, type Task} from './task';

/** Shares of digits with noise. */
const SHARES = [0, 0.2, 0.5];

/** Build the cases, one after the other. */
const tasksOf = (shares: readonly number[]): ((seed: number, digits: TrainAndTest) => Task)[] => [
  ...shares.map((share) => (seed: number, digits: TrainAndTest) => noisyDigits(seed, digits, share)),
  fewDigits,
  nextSymbols,
];

/** Cases in which the hardest rows may teach nothing: noise, few rows, steps drawn at random. */
export const hurts: Study<HurtsRecord[]> = {
  name: 'hurts',
  about: 'noisy targets, few rows, and sequences with unpredictable steps, by the hardest half',
  seeds: 5,
  steps: 800,
  settings: (steps) => ({
    ...{steps, noisyShares: SHARES, autoencoder: AUTOENCODER, fewRows: FEW_DIGITS, sequences: NEXT_SYMBOLS},
    ...{rowRules: rowRules(1).map(({name}) => name), stepRules: stepRules(1).map(({name}) => name)},
  }),
  async *train(seed, digits, {steps, noisyShares}) {
    const tasks = tasksOf(noisyShares as number[]);
    const records: HurtsRecord[] = [];
    for (const build of tasks) {
      const task = build(seed, digits);
      const turns = turnsOf(task, steps);
      try {
        let turn = await turns.next();
        for (; !turn.done; turn = await turns.next()) yield (records.length + turn.value) / tasks.length;
        records.push({task: task.name, rules: turn.value});
      } finally {
        await turns.return([]);
        task.dispose();
      }
    }
    return records;
  },
  report: hurtsReport,
};

/** Trains a model by each rule of a task, in turn. */
const turnsOf = (task: Task, steps: number) =>
  trainInTurn<Batch, Quality>(
    task.rules.map((rule) => () => learnerOf(task, rule)),
    {
      ...{steps, measureEvery: task.measureEvery, batchOf: task.batchOf, rateOf: () => task.learningRate},
      disposeBatch: ({xs, ys}) => dispose([xs, ys]),
    },
  );
