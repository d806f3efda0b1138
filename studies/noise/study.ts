import {flipLabels, ROWS, shareFlipped} from '../../bench/flippedLabels';
import {type TrainDigitsOptions, trainDigits} from '../../bench/trainDigits';
import {testAccuracy} from '../../examples/mnist/experiment/testAccuracy';
import type {TrainAndTest} from '../../examples/mnist/experiment/trainRun';
import {NO_PARTS, type Parts} from '../kit/parts';
import type {Study} from '../kit/study';
import type {NoiseRecord} from './record';
import {noiseReport, noiseRulesReport} from './report';
import {HALVES, type NoiseRule, SIZES_AND_SKIPS} from './rules';

/** What one study of noise trains. */
interface NoisePlan {
  /** The shares of wrong labels. */
  shares: readonly number[];
  rules: readonly NoiseRule[];
  /**
   * Epochs after which the accuracy is measured, and the last one: it costs as much as some of
   * them.
   */
  measured: readonly number[];
  /** Whether it counts the wrong labels among the kept rows. */
  isCounted: boolean;
}

const SHARES: NoisePlan = {
  shares: [0, 0.05, 0.1, 0.2],
  rules: HALVES,
  measured: [1, 2, 3, 5, 7, 10, 15, 20, 30],
  isCounted: false,
};
const RULES: NoisePlan = {shares: [0.2], rules: SIZES_AND_SKIPS, measured: [2, 10, 30], isCounted: true};

/** Rules for training with wrong labels, and what they cost where none is wrong. */
export const noise: Study<NoiseRecord[]> = {
  name: 'noise',
  about: 'training with 0, 5, 10 and 20 % wrong labels',
  seeds: 3,
  steps: 20,
  settings: (steps) => settingsOf(SHARES, steps),
  train: (seed, digits, {steps}) => trainAll(SHARES, seed, digits, steps),
  report: noiseReport,
};

/** How many rows to keep, and how many to skip, where a fifth of the labels is wrong. */
export const noiseRules: Study<NoiseRecord[]> = {
  name: 'noise-rules',
  about: 'sizes and skips of a selection with 20 % wrong labels, and how many of them are kept',
  seeds: 3,
  steps: 30,
  settings: (steps) => settingsOf(RULES, steps),
  train: (seed, digits, {steps}, parts) => trainAll(RULES, seed, digits, steps, parts),
  report: noiseRulesReport,
};

const settingsOf = ({shares, rules, measured}: NoisePlan, steps: number) => ({
  ...{steps, rows: ROWS, flipped: shares, rules: rules.map(([name]) => name), measured},
});

async function* trainAll(
  plan: NoisePlan,
  seed: number,
  {train, test}: TrainAndTest,
  epochs: number,
  {ofSeed}: Parts = NO_PARTS,
): AsyncGenerator<number, NoiseRecord[], undefined> {
  const {shares, rules, measured, isCounted} = plan;
  const records: NoiseRecord[] = [];
  const trainings = shares.length * rules.length;
  for (const share of shares) {
    const {digits, flipped} = flipLabels(train, seed, share);
    for (const [rule, select] of rules) {
      const found = await ofSeed.find<NoiseRecord>(`${records.length}`);
      if (found) {
        records.push(found);
        continue;
      }
      const record: NoiseRecord = {rule, flipped: share, measuredAt: [], testAccuracy: []};
      if (isCounted) record.wrongAmongKept = [];
      let kept: number[] = [];
      const onStep: TrainDigitsOptions['onStep'] = async (batch, {selection}) => {
        for (const place of await selection.indices.data()) kept.push(batch[place] as number);
      };
      const options = {seed, epochs, select: select(seed), ...(isCounted && {onStep})};
      let epoch = 0;
      for await (const model of trainDigits(digits, options)) {
        epoch++;
        if (measured.includes(epoch) || epoch === epochs) {
          record.measuredAt.push(epoch);
          record.testAccuracy.push(await testAccuracy(model, test));
          record.wrongAmongKept?.push(shareFlipped(kept, flipped));
        }
        kept = [];
        yield (records.length + epoch / epochs) / trainings;
      }
      await ofSeed.keep(`${records.length}`, record);
      records.push(record);
    }
  }
  return records;
}
