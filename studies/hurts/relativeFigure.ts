import type {TopLevelSpec} from 'vega-lite';
import {type Panel, stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import {type Theme, themeColors} from '../../examples/mnist/report/theme';
import {paletteStyle} from '../kit/palette';
import {seedsSaid} from '../kit/seedsSaid';
import type {HurtsSummary} from './summary';

type Task = HurtsSummary['tasks'][number];
type Rule = Task['rules'][number];

/** A number that a panel shows. */
interface Shown {
  title: string;
  of: (rule: Rule) => Rule['end'][string] | undefined;
}

const SHOWN: Record<string, Shown[]> = {
  autoencoder: [
    {title: 'squared error, all test rows', of: ({end}) => end.error},
    {title: 'squared error, easy test rows', of: ({end}) => end.easyError},
  ],
  'few rows': [
    {title: 'test error, last step', of: ({end}) => end.error},
    {title: 'test loss, last step', of: ({end}) => end.loss},
  ],
  sequences: [
    {title: 'error, mean on the way', of: ({onTheWay}) => onTheWay.error},
    {title: 'crossentropy, mean on the way', of: ({onTheWay}) => onTheWay.loss},
  ],
};

/** A row of panels for each case: how far the rules are above all rows, in percent. */
export function relativeFigure(tasks: readonly Task[], seeds: number, theme: Theme): TopLevelSpec {
  return stackedPanels({
    theme,
    title: 'Errors of the hardest half and of a random half, relative to those of all rows',
    subtitle: [`differences seed by seed, right of 0 is worse · ${seedsSaid(seeds)}`],
    description:
      'Errors of the hardest half and of a random half, relative to those of training on all rows, with intervals: a ' +
      'row of panels for each case in which mining may hurt.',
    spacing: 16,
    panels: tasks.map((task) => ({
      spacing: 24,
      hconcat: (SHOWN[task.task.replace(/,.*/, '')] as Shown[]).map((shown, column) =>
        panelOf(task, shown, column === 0, theme),
      ),
    })),
  });
}

/** Pixels of a rule, and for the names of the rules. */
const [ROW, NAMES] = [20, 150];
const WIDTH = Math.floor((WIDE - NAMES - 90) / 2);

/** Shares as percentages with a sign. */
const SIGNED = "datum.value === 0 ? '0' : replace(format(datum.value * 100, '+d'), '-', '−') + ' %'";

function panelOf({task, rules}: Task, {title, of}: Shown, hasNames: boolean, theme: Theme): Panel {
  const values = rules.flatMap((rule) => {
    const relative = of(rule)?.relative;
    if (!relative) return [];
    const reach = Number.isNaN(relative.margin) ? 0 : relative.margin;
    const {mean} = relative;
    const name = rule.name.replace(/\(.*\)/, '');
    return [{rule: name, mean, low: mean - reach, high: mean + reach, isMined: name.startsWith('topK')}];
  });
  const x = (field: string) => ({
    ...{field, type: 'quantitative' as const, title: null, scale: {zero: true, nice: true}},
    axis: {tickCount: 4, labelExpr: SIGNED, labelBound: true},
  });
  const [mined, random] = [1, 3].map((index) => paletteStyle(index, theme).color) as [string, string];
  const color = {condition: {test: 'datum.isMined', value: mined}, value: random};
  return {
    ...{width: WIDTH, height: ROW * values.length, data: {values}},
    title: {text: title, subtitle: task, offset: 6, frame: 'group'},
    encoding: {
      y: {
        ...{field: 'rule', type: 'nominal', title: null, sort: values.map(({rule}) => rule)},
        axis: {labels: hasNames, labelLimit: NAMES, minExtent: hasNames ? NAMES : 0, grid: true},
      },
    },
    layer: [
      {
        data: {values: [{zero: 0}]},
        mark: {type: 'rule', color: themeColors[theme].quietInk},
        encoding: {x: x('zero'), y: {value: 0}, y2: {value: ROW * values.length}},
      },
      {mark: {type: 'rule', strokeWidth: 2}, encoding: {x: x('low'), x2: {field: 'high'}, color}},
      {mark: {type: 'point', filled: true, size: 55, opacity: 1}, encoding: {x: x('mean'), color}},
    ],
  };
}
