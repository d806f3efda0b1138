import {all, randomK, type Selector, topK, trimmedTopK} from 'ohem-tfjs';
import {flipLabels, ROWS} from '../../bench/flippedLabels';
import {trainDigits} from '../../bench/trainDigits';
import {testAccuracy} from '../../examples/mnist/experiment/testAccuracy';
import type {Study} from '../kit/study';
import type {NoiseRecord} from './record';
import {noiseReport} from './report';

/** The share of wrong labels. */
const SHARES = [0, 0.05, 0.1, 0.2];

const RULES: [name: string, select: (seed: number) => Selector][] = [
  ['all()', all],
  ['randomK({k: 50, seed})', (seed) => randomK({k: 50, seed})],
  ['topK({k: 50})', () => topK({k: 50})],
  ['trimmedTopK({k: 50, skip: 20})', () => trimmedTopK({k: 50, skip: 20})],
];

/**
 * Epochs after which the accuracy is measured, and the last one: it costs as much as some of them.
 */
const MEASURED = [1, 2, 3, 5, 7, 10, 15, 20, 30];

/** Rules for training with wrong labels, and what they cost where none is wrong. */
export const noise: Study<NoiseRecord[]> = {
  name: 'noise',
  about: 'training with 0, 5, 10 and 20 % wrong labels',
  seeds: 3,
  steps: 20,
  settings: (steps) => ({steps, rows: ROWS, flipped: SHARES, rules: RULES.map(([name]) => name), measured: MEASURED}),
  async *train(seed, {train, test}, {steps: epochs}) {
    const records: NoiseRecord[] = [];
    const trainings = SHARES.length * RULES.length;
    for (const flipped of SHARES) {
      const {digits} = flipLabels(train, seed, flipped);
      for (const [rule, select] of RULES) {
        const record: NoiseRecord = {rule, flipped, measuredAt: [], testAccuracy: []};
        let epoch = 0;
        for await (const model of trainDigits(digits, {seed, epochs, select: select(seed)})) {
          epoch++;
          if (MEASURED.includes(epoch) || epoch === epochs) {
            record.measuredAt.push(epoch);
            record.testAccuracy.push(await testAccuracy(model, test));
          }
          yield (records.length + epoch / epochs) / trainings;
        }
        records.push(record);
      }
    }
    return records;
  },
  report: noiseReport,
};
