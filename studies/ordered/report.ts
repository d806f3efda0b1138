import type {TopLevelSpec} from 'vega-lite';
import {stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import {percent} from '../../examples/mnist/report/percent';
import type {Theme} from '../../examples/mnist/report/theme';
import {bandPanel, COUNT, PERCENT_1, panelWidth} from '../kit/bandPanel';
import {bandOf, type Series} from '../kit/bands';
import {byArm} from '../kit/byArm';
import {paletteStyle} from '../kit/palette';
import {seedsSaid} from '../kit/seedsSaid';
import {type Estimate, estimate, pairedDifference} from '../kit/statistics';
import type {StudyReport} from '../kit/study';
import type {OrderedRecord} from './record';

export interface OrderedSummary {
  arms: {
    name: string;
    /** By epochs trained, at some of them and at the end. */
    testError: Record<string, Estimate>;
    bestTestError: Estimate;
    trainError: Estimate;
    kept: number[];
    /** Time of all steps, by that of plain SGD with the same seed. */
    stepTimeToSgd: Estimate;
  }[];
  /** Test error of Ordered SGD less that of SGD, seed by seed. */
  difference: Record<string, Estimate>;
}

/** What the figure says and shows. */
export interface OrderedFigure {
  model: string;
  errors: {from: number; to: number};
}

export function orderedReport(seeds: OrderedRecord[][], figure: OrderedFigure): StudyReport {
  const arms = byArm(seeds);
  return {
    summary: summaryOf(arms),
    figures: {'test-error': (theme) => testError(arms, figure, theme)},
  };
}

const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);
const lastOf = (numbers: readonly number[]) => numbers.at(-1) as number;

const MOMENTS = [10, 20];

function summaryOf(arms: OrderedRecord[][]): OrderedSummary {
  const sgd = arms[0] as OrderedRecord[];
  const epochs = (sgd[0] as OrderedRecord).testError.length;
  const atMoments = (make: (epoch: number) => Estimate) =>
    Object.fromEntries([...MOMENTS.filter((epoch) => epoch < epochs), epochs].map((epoch) => [epoch, make(epoch)]));
  const errors = (records: OrderedRecord[], epoch: number) =>
    records.map(({testError}) => testError[epoch - 1] as number);
  return {
    arms: arms.map((records) => ({
      name: (records[0] as OrderedRecord).name,
      testError: atMoments((epoch) => estimate(errors(records, epoch))),
      bestTestError: estimate(records.map((record) => Math.min(...record.testError))),
      trainError: estimate(records.map((record) => lastOf(record.trainError))),
      // The state of the schedule at the end, of each seed.
      kept: records.map((record) => lastOf(record.kept)),
      stepTimeToSgd: estimate(
        records.map((record, seed) => total(record.msPerStep) / total((sgd[seed] as OrderedRecord).msPerStep)),
      ),
    })),
    difference: atMoments((epoch) => pairedDifference(errors(arms[1] as OrderedRecord[], epoch), errors(sgd, epoch))),
  };
}

function testError(arms: OrderedRecord[][], {model, errors: shown}: OrderedFigure, theme: Theme): TopLevelSpec {
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
    title: `Test error of ${model} on MNIST`,
    subtitle: [seedsSaid((arms[0] as OrderedRecord[]).length)],
    description: `Test error over the epochs; a line for SGD and one for Ordered SGD. At the end: ${series.map(({label}) => label).join('; ')}.`,
    spacing: 22,
    panels: [
      bandPanel({
        theme,
        title: 'Test error',
        series,
        x: {title: 'Epoch', from: 1, to: Math.max(2, epochs), labels: COUNT},
        y: {...shown, labels: PERCENT_1},
        width: panelWidth(WIDE),
      }),
    ],
  });
}
