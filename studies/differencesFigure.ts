import type {TopLevelSpec} from 'vega-lite';
import {stackedPanels, WIDE} from '../examples/mnist/report/figureFrame';
import type {Theme} from '../examples/mnist/report/theme';
import {type ArmSeeds, armSeeds, mined} from './armSeeds';
import {bandPanel, COUNT, POINTS, panelWidth} from './bandPanel';
import {bandOf, type Series} from './bands';
import type {ArmRecord} from './trainTogether';

/** Where the axis is cut off, in points of accuracy: the first steps go beyond. */
const REACH = 0.3;

/** What mining is ahead of the whole batch, and of as many rows at random, seed by seed; a panel for each mined run. */
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
      return bandPanel({
        theme,
        title: run.name,
        series: [less(run, whole, `less ${whole.name}`), less(run, random, 'less as many at random')],
        x: {
          ...(index === others.length - 1 && {title: 'Step'}),
          from: 0,
          to: whole.arm.measuredAt.at(-1) as number,
          labels: COUNT,
        },
        y: {from: -REACH, to: REACH, labels: POINTS},
        width: panelWidth(WIDE),
        height: 130,
      });
    }),
  });
}

function less(run: ArmSeeds, other: ArmSeeds, label: string): Series {
  const curves = run.accuracies.map((accuracies, seed) =>
    accuracies.map((accuracy, place) => accuracy - (other.accuracies[seed]?.[place] as number)),
  );
  return {label, style: other.style, points: bandOf(run.arm.measuredAt, curves)};
}
