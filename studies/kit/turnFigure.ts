import type {TopLevelSpec} from 'vega-lite';
import {stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import type {Theme} from '../../examples/mnist/report/theme';
import {bandPanel, COUNT, PERCENT, panelWidth} from './bandPanel';
import {bandOf, type Series} from './bands';
import {paletteStyle} from './palette';
import {seedsSaid} from './seedsSaid';
import {estimate} from './statistics';
import type {TurnRecord} from './trainInTurn';
import {secondsAt} from './trainTogether';

interface TurnFigure<Quality> {
  theme: Theme;
  title: string;
  /** What was measured, beside the seeds. */
  subtitle: string;
  description: string;
  measure: (quality: Quality) => number;
}

/** The second rule is the random one, and grey as random rows are in the other figures. */
const STYLE_OF = [0, 3, 1, 2, 4, 5, 6];

/** Seconds are shown up to this many times those of the fastest rule; slower rules are cut off. */
const LONGEST = 1.25;

const lastOf = <Value>(values: readonly Value[]) => values.at(-1) as Value;

/**
 * A panel over steps and one over seconds, with a line for each of up to seven rules. Only the
 * first has a band: with a few seeds, the bands of seven rules cover one another.
 */
export function turnFigure<Quality>(
  arms: readonly TurnRecord<Quality>[][],
  {theme, title, subtitle, description, measure}: TurnFigure<Quality>,
): TopLevelSpec {
  type Rule = TurnRecord<Quality>;
  const curves = (records: Rule[]) => records.map(({quality}) => quality.map(measure));
  const seriesOf = (xsOf: (records: Rule[]) => number[]) =>
    arms.map((records, arm): Series => {
      const points = bandOf(xsOf(records), curves(records));
      return {
        label: (records[0] as Rule).name,
        style: paletteStyle(STYLE_OF[arm] ?? arm, theme),
        points: arm === 0 ? points : points.map(({x, mean}) => ({x, mean, low: mean, high: mean})),
      };
    });
  const bySteps = seriesOf((records) => (records[0] as Rule).measuredAt);
  const bySeconds = seriesOf((records) =>
    (records[0] as Rule).measuredAt.map(
      (_, place) => estimate(records.map((record) => secondsAt(record)[place] as number)).mean,
    ),
  );
  const [first] = arms as [Rule[]];
  const secondsOf = bySeconds.map(({points}) => lastOf(points).x);
  const shownSeconds = Math.min(Math.max(...secondsOf), LONGEST * Math.min(...secondsOf));
  const values = arms.flatMap((records) => curves(records).flat());
  const [least, most] = [Math.floor(20 * Math.min(...values)) / 20, Math.ceil(20 * Math.max(...values) + 0.1) / 20];
  const panel = (series: Series[], name: string, x: {title: string; to: number}) =>
    bandPanel({
      ...{theme, title: name, series},
      x: {...x, from: 0, labels: COUNT},
      y: {from: least, to: most, labels: PERCENT},
      ...{width: panelWidth(WIDE), height: 230},
    });
  return stackedPanels({
    ...{theme, title, description, spacing: 22},
    subtitle: [`${subtitle} · steps taken in turn · ${seedsSaid(first.length, (first[0] as Rule).name)}`],
    panels: [
      panel(bySteps, 'at equal steps', {title: 'Steps', to: lastOf(lastOf(bySteps).points).x}),
      panel(bySeconds, 'at equal time', {title: 'Seconds of steps', to: Math.ceil(shownSeconds)}),
    ],
  });
}
