import type {TopLevelSpec} from 'vega-lite';
import {stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import {percent} from '../../examples/mnist/report/percent';
import {runStyles} from '../../examples/mnist/report/runStyle';
import type {Theme} from '../../examples/mnist/report/theme';
import {bandPanel, COUNT, PERCENT_1, panelWidth} from '../kit/bandPanel';
import {bandOf, type Series} from '../kit/bands';
import {seedsSaid} from '../kit/seedsSaid';
import {estimate} from '../kit/statistics';
import {secondsAt} from '../kit/trainTogether';
import type {OptimizerName, TunedRecord} from './record';

const TITLES: Record<OptimizerName, string> = {sgd: 'SGD', adam: 'Adam'};

/** The axis of accuracy begins so far below the lowest end of a line, as a share. */
const ROOM = 0.05;
const GAP = 16;

/**
 * Test accuracy over steps and over seconds, a row of panels for each optimizer; without random
 * controls.
 */
export function accuracyFigure(arms: TunedRecord[][], theme: Theme): TopLevelSpec {
  const mined = arms.filter(([first]) => first?.rule === 'hardest');
  const optimizers = [...new Set(mined.map(([first]) => first?.optimizer as OptimizerName))];
  const seeds = mined[0]?.length as number;
  return stackedPanels({
    theme,
    title: 'Test accuracy, every run at its own best learning rate',
    subtitle: [`by the mean of the kept losses · ${seedsSaid(seeds)}`],
    description:
      'Test accuracy over steps, and over the seconds of the steps; two panels for each optimizer, a line with its ' +
      `interval for each run. At the end: ${mined.map(endSaid).join('; ')}.`,
    spacing: 22,
    panels: optimizers.map((optimizer, index) => {
      const runs = mined.filter(([first]) => first?.optimizer === optimizer);
      return panelsOf(runs, TITLES[optimizer], index === optimizers.length - 1, theme);
    }),
  });
}

const lastOf = (records: TunedRecord[]) =>
  estimate(records.map(({testAccuracy}) => testAccuracy.at(-1) as number)).mean;

function endSaid(records: TunedRecord[]): string {
  const {optimizer, name} = records[0] as TunedRecord;
  return `${TITLES[optimizer]} ${name} ${percent(lastOf(records))}`;
}

function panelsOf(runs: TunedRecord[][], optimizer: string, isLowest: boolean, theme: Theme) {
  const styles = runStyles(
    runs.map(([first]) => first as TunedRecord),
    theme,
  );
  const over = (xsOf: (records: TunedRecord[]) => number[]) =>
    runs.map((records, index): Series => {
      const {name, learningRate} = records[0] as TunedRecord;
      return {
        label: `${name} · ${learningRate}`,
        style: styles[index] as (typeof styles)[number],
        points: bandOf(
          xsOf(records),
          records.map(({testAccuracy}) => testAccuracy),
        ),
      };
    });
  const steps = over(([first]) => (first as TunedRecord).measuredAt);
  const seconds = over((records) =>
    (records[0] as TunedRecord).measuredAt.map(
      (_, place) => estimate(records.map((record) => secondsAt(record)[place] as number)).mean,
    ),
  );
  const lowest = Math.min(...runs.map(lastOf));
  const highest = Math.max(...runs.map(lastOf));
  const y = {from: Math.max(0, lowest - ROOM), to: Math.min(1, highest + ROOM / 5), labels: PERCENT_1};
  const panel = (title: string, xTitle: string, series: Series[]) =>
    bandPanel({
      theme,
      title,
      series,
      x: {...(isLowest && {title: xTitle}), from: 0, to: endOf(series), labels: COUNT},
      y,
      width: panelWidth(WIDE, 2, GAP),
      height: 170,
    });
  return {
    spacing: GAP,
    hconcat: [
      panel(`${optimizer}, over steps`, 'Step', steps),
      panel(`${optimizer}, over time`, 'Seconds of steps', seconds),
    ],
  };
}

const endOf = (series: Series[]) => Math.max(...series.flatMap(({points}) => points.map(({x}) => x)));
