import type {TopLevelSpec} from 'vega-lite';
import {stackedPanels, WIDE} from '../examples/mnist/report/figureFrame';
import {percent} from '../examples/mnist/report/percent';
import type {Theme} from '../examples/mnist/report/theme';
import {bandPanel, COUNT, PERCENT_1, panelWidth} from './bandPanel';
import {bandOf, type Series} from './bands';
import type {OrderedRecord} from './orderedSgd';
import {paletteStyle} from './palette';
import {type Estimate, estimate, pairedDifference} from './statistics';
import type {StudyReport} from './study';

export interface OrderedSgdSummary {
  arms: {name: string; testError: Estimate; bestTestError: Estimate; trainError: Estimate; kept: number[]}[];
  /** Test error of Ordered SGD less that of SGD, seed by seed. */
  difference: Estimate;
}

export function orderedSgdReport(seeds: OrderedRecord[][]): StudyReport {
  const arms = (seeds[0] as OrderedRecord[]).map((_, index) => seeds.map((seed) => seed[index] as OrderedRecord));
  return {
    summary: summaryOf(arms),
    figures: {'test-error': (theme) => testError(arms, theme)},
  };
}

const lastOf = (numbers: readonly number[]) => numbers.at(-1) as number;

function summaryOf(arms: OrderedRecord[][]): OrderedSgdSummary {
  const errors = arms.map((records) => records.map((record) => lastOf(record.testError)));
  return {
    arms: arms.map((records, index) => ({
      name: (records[0] as OrderedRecord).name,
      testError: estimate(errors[index] as number[]),
      bestTestError: estimate(records.map((record) => Math.min(...record.testError))),
      trainError: estimate(records.map((record) => lastOf(record.trainError))),
      // What the schedule has come to at the end, of each seed.
      kept: records.map((record) => lastOf(record.kept)),
    })),
    difference: pairedDifference(errors[1] as number[], errors[0] as number[]),
  };
}

function testError(arms: OrderedRecord[][], theme: Theme): TopLevelSpec {
  const series = arms.map((records, index): Series => {
    const {name, testError: errors} = records[0] as OrderedRecord;
    const epochs = errors.map((_, epoch) => epoch + 1);
    const points = bandOf(
      epochs,
      records.map((record) => record.testError),
    );
    const last = percent(lastOf(points.map(({mean}) => mean)), 2);
    return {label: `${name} · ${last}`, style: paletteStyle(index, theme), points};
  });
  const epochs = (series[0] as Series).points.length;
  return stackedPanels({
    theme,
    title: 'Test error of logistic regression on MNIST',
    subtitle: [`mean of ${(arms[0] as OrderedRecord[]).length} seeds, with its 95 % interval`],
    description: `Test error over the epochs; a line for SGD and one for Ordered SGD. At the end: ${series.map(({label}) => label).join('; ')}.`,
    spacing: 22,
    panels: [
      bandPanel({
        theme,
        title: 'Test error',
        series,
        x: {title: 'Epoch', from: 1, to: Math.max(2, epochs), labels: COUNT},
        y: {from: 0.07, to: 0.1, labels: PERCENT_1},
        width: panelWidth(WIDE),
      }),
    ],
  });
}
