import type {TopLevelSpec} from 'vega-lite';
import {stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import type {Theme} from '../../examples/mnist/report/theme';
import {bandPanel, COUNT, POINTS, panelWidth} from '../kit/bandPanel';
import {bandOf, type Series} from '../kit/bands';
import type {ArmRecord} from '../kit/trainTogether';
import {type ArmSeeds, armSeeds, mined} from './armSeeds';

/** Where the first steps end, after which differences are ten times smaller. */
const SETTLED = 300;
/**
 * Where the axis of the first steps is cut off, as a share, and where that of the others is: the
 * first of these that holds the lines.
 */
const EARLY = 0.6;
const LATE = [0.06, 0.15, 0.3];
const GAP = 16;

/**
 * What mining is ahead of the whole batch, and of as many rows at random, seed by seed; a panel for
 * each mined run.
 */
export function differencesFigure(records: ArmRecord[][], subtitle: string, theme: Theme): TopLevelSpec {
  const arms = armSeeds(records, theme);
  const runs = mined(arms);
  const whole = runs.find(({arm}) => arm.n === arm.k) as ArmSeeds;
  const others = runs.filter((run) => run !== whole);
  return stackedPanels({
    theme,
    title: 'What mining is ahead, in points of test accuracy',
    subtitle: [`paired by seed · ${subtitle}`],
    description:
      'Differences of test accuracy over the steps: each mined run less the whole batch of 512, and less as many rows at random.',
    spacing: 22,
    panels: others.map((run, index) => {
      const random = arms.find(({name}) => name === `${run.name} random`) as ArmSeeds;
      const isLowest = index === others.length - 1;
      const series = [less(run, whole, `less ${whole.name}`), less(run, random, 'less random')];
      const last = whole.arm.measuredAt.at(-1) as number;
      const settled = Math.min(SETTLED, last / 2);
      const panel = (title: string, from: number, to: number, reach: number) =>
        bandPanel({
          theme,
          title,
          series,
          x: {...(isLowest && {title: 'Step'}), from, to, labels: COUNT},
          y: {from: -reach, to: reach, labels: POINTS},
          width: panelWidth(WIDE, 2, GAP),
          height: 130,
        });
      return {
        spacing: GAP,
        hconcat: [
          panel(run.name, 0, settled, EARLY),
          panel(`from step ${settled} on, enlarged`, settled, last, reachFrom(settled, series)),
        ],
      };
    }),
  });
}

function reachFrom(step: number, series: Series[]): number {
  const largest = Math.max(
    ...series.flatMap(({points}) => points.filter(({x}) => x >= step).map(({mean}) => Math.abs(mean))),
  );
  return LATE.find((reach) => reach >= largest) ?? EARLY;
}

function less(run: ArmSeeds, other: ArmSeeds, label: string): Series {
  const curves = run.accuracies.map((accuracies, seed) =>
    accuracies.map((accuracy, place) => accuracy - (other.accuracies[seed]?.[place] as number)),
  );
  return {label, style: other.style, points: bandOf(run.arm.measuredAt, curves)};
}
