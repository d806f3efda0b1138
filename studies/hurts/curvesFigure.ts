import type {TopLevelSpec} from 'vega-lite';
import {stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import type {Theme} from '../../examples/mnist/report/theme';
import {bandPanel, COUNT, panelWidth} from '../kit/bandPanel';
import {bandOf, type Series} from '../kit/bands';
import {paletteStyle} from '../kit/palette';
import {seedsSaid} from '../kit/seedsSaid';
import type {TurnRecord} from '../kit/trainInTurn';
import type {Quality} from './record';

/** The rules of one case, by rule and then by seed. */
interface TaskArms {
  task: string;
  arms: TurnRecord<Quality>[][];
}

const GAP = 20;
const COLUMNS = 2;

/** Blue for all rows, grey for random ones, as in the other figures; red for the hardest. */
const STYLE_OF = [0, 1, 3, 2, 4];

/** A measure that a panel shows, if the case has it. */
const SHOWN: [measure: string, title: string, labels: string][] = [
  ['easyError', 'squared error of easy rows', "format(datum.value, '.3f')"],
  ['validationLoss', 'validation loss', "format(datum.value, '.2f')"],
  ['loss', 'crossentropy of predictable steps', "format(datum.value, '.1f')"],
];

/** A panel for each case, two beside each other. */
export function curvesFigure(tasks: readonly TaskArms[], theme: Theme): TopLevelSpec {
  const panels = tasks.map((task, index) => panelOf(task, index >= tasks.length - COLUMNS, theme));
  return stackedPanels({
    theme,
    title: 'Errors of the hardest half, a random half, and all',
    subtitle: [seedsSaid(tasks[0]?.arms[0]?.length as number)],
    description:
      'Errors over the steps of a training run, a panel for each case in which mining may hurt, a line for each rule.',
    spacing: 18,
    panels: Array.from({length: Math.ceil(panels.length / COLUMNS)}, (_, row) => ({
      spacing: GAP,
      hconcat: panels.slice(row * COLUMNS, (row + 1) * COLUMNS),
    })),
  });
}

function panelOf({task, arms}: TaskArms, isLow: boolean, theme: Theme) {
  const [[{measuredAt, quality}]] = arms as [[TurnRecord<Quality>]];
  const [measure, title, labels] = SHOWN.find(([name]) => name in (quality[0] as Quality)) as (typeof SHOWN)[number];
  const series = arms.map((records, arm): Series => {
    const curves = records.map((record) => record.quality.map((at) => at[measure] as number));
    const label = (records[0] as TurnRecord<Quality>).name.replace(/\(.*\)/, '').replace('by ', '');
    return {label, style: paletteStyle(STYLE_OF[arm] as number, theme), points: bandOf(measuredAt, curves)};
  });
  // The first measurement is far above the others.
  const [first, ...rest] = measuredAt;
  const shown = series.flatMap(({points}) => points.filter(({x}) => rest.length === 0 || x !== first));
  const [low, high] = [Math.min(...shown.map((point) => point.low)), Math.max(...shown.map((point) => point.high))];
  const margin = 0.05 * (high - low || 1);
  return bandPanel({
    ...{theme, title: task, subtitle: title, series},
    x: {...(isLow && {title: 'Steps'}), from: 0, to: Math.max(...measuredAt), labels: COUNT},
    y: {from: low - margin, to: high + margin, labels},
    ...{width: panelWidth(WIDE, COLUMNS, GAP), height: 150},
  });
}
