import type {TopLevelSpec} from 'vega-lite';
import {type Panel, stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import type {Theme} from '../../examples/mnist/report/theme';
import {bandPanel, COUNT, PERCENT, panelWidth} from '../kit/bandPanel';
import {bandOf, type Series} from '../kit/bands';
import {estimate} from '../kit/statistics';
import {type ArmRecord, secondsAt} from '../kit/trainTogether';
import {type ArmSeeds, armSeeds, mined} from './armSeeds';

/** Where the axis of accuracy begins: what is below is over after a few steps. */
const LEAST = 0.4;

/**
 * Test accuracy by what it costs: as far as all runs but the shortest go by examples, and as far as
 * all of them go by time.
 */
export function equalCostFigure(records: ArmRecord[][], subtitle: string, theme: Theme): TopLevelSpec {
  const runs = mined(armSeeds(records, theme));
  const seriesOver = (xsOf: (run: ArmSeeds) => number[]) =>
    runs.map((run): Series => ({label: run.name, style: run.style, points: bandOf(xsOf(run), run.accuracies)}));
  const examples = seriesOver(({arm}) => arm.measuredAt.map((step) => step * arm.k));
  const seconds = seriesOver(({arm, seeds}) =>
    arm.measuredAt.map((_, place) => estimate(seeds.map((seed) => secondsAt(seed)[place] as number)).mean),
  );
  const panel = (title: string, xTitle: string, series: Series[], to: number): Panel =>
    bandPanel({
      theme,
      title,
      series,
      x: {title: xTitle, from: 0, to, labels: COUNT},
      y: {from: LEAST, to: 1, labels: PERCENT},
      width: panelWidth(WIDE),
    });
  return stackedPanels({
    theme,
    title: 'Test accuracy by what it costs',
    subtitle: [subtitle],
    description:
      'Test accuracy over the examples that were backpropagated, and over the time that the steps took; a line for each run.',
    spacing: 22,
    panels: [
      panel('Over the examples that were backpropagated', 'Examples', examples, endsOf(examples)[1] as number),
      panel('Over time', 'Seconds of steps', seconds, endsOf(seconds)[0] as number),
    ],
  });
}

/** Where lines end, in order; those that end together count once. */
const endsOf = (series: Series[]) =>
  [...new Set(series.map(({points}) => points.at(-1)?.x as number))].sort((one, other) => one - other);
