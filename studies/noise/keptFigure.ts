import type {TopLevelSpec} from 'vega-lite';
import {type Panel, stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import {percent} from '../../examples/mnist/report/percent';
import {textWidth} from '../../examples/mnist/report/textWidth';
import {type Theme, themeColors} from '../../examples/mnist/report/theme';
import {PERCENT} from '../kit/bandPanel';
import {paletteStyle} from '../kit/palette';
import {seedsSaid} from '../kit/seedsSaid';
import type {Estimate} from '../kit/statistics';
import type {NoiseResult} from './record';

const ROW = 24;
const FONT = 11;
const GAP = 24;
/** Pixels for the ends of axes and labels, beside names and panels. */
const EDGES = 70;

/** One row a rule: accuracy after the last epoch, and wrong labels among the kept rows. */
export function keptFigure(results: NoiseResult[], seeds: number, theme: Theme): TopLevelSpec {
  const names = Math.ceil(Math.max(...results.map(({rule}) => textWidth(rule, FONT))));
  const last = Object.keys(results[0]?.afterEpochs ?? {}).at(-1) as string;
  const width = Math.floor((WIDE - names - GAP - EDGES) / 2);
  const panel = (title: string, of: (result: NoiseResult) => Estimate, hasNames: boolean, color: string) =>
    estimatesPanel(results, {title, of, hasNames, color, width, theme});
  return stackedPanels({
    theme,
    title: `${percent(results[0]?.flipped ?? Number.NaN, 0)} wrong labels, after ${last} epochs`,
    subtitle: [seedsSaid(seeds)],
    description:
      'Test accuracy, and share of wrong labels among the rows that were kept, for each rule after its last epoch: ' +
      `${results.map(({rule, afterEpochs}) => `${rule} ${percent(afterEpochs[last]?.mean ?? Number.NaN)}`).join('; ')}.`,
    spacing: 22,
    panels: [
      {
        spacing: GAP,
        hconcat: [
          panel('Test accuracy', ({afterEpochs}) => afterEpochs[last] as Estimate, true, paletteStyle(0, theme).color),
          panel(
            'Wrong labels among the kept rows',
            ({wrongAmongKept}) => wrongAmongKept?.[last] as Estimate,
            false,
            paletteStyle(1, theme).color,
          ),
        ],
      },
    ],
  });
}

interface EstimatesOptions {
  title: string;
  of: (result: NoiseResult) => Estimate;
  hasNames: boolean;
  color: string;
  width: number;
  theme: Theme;
}

function estimatesPanel(results: NoiseResult[], options: EstimatesOptions): Panel {
  const {title, of, hasNames, color, width, theme} = options;
  const values = results.map((result) => {
    const {mean, margin} = of(result);
    const reach = Number.isNaN(margin) ? 0 : margin;
    return {rule: result.rule, mean, low: Math.max(0, mean - reach), high: mean + reach};
  });
  const x = (field: string) => ({
    field,
    type: 'quantitative' as const,
    title: null,
    scale: {zero: !hasNames},
    axis: {labelExpr: PERCENT, tickCount: 4, labelFlush: false},
  });
  return {
    ...{width, height: ROW * results.length, data: {values}},
    title: {text: title, offset: 8, frame: 'group'},
    encoding: {
      y: {
        ...{field: 'rule', type: 'nominal', title: null, sort: values.map(({rule}) => rule)},
        axis: {labels: hasNames, labelLimit: 400, labelColor: themeColors[theme].ink, grid: true},
      },
    },
    layer: [
      {mark: {type: 'rule', color, strokeWidth: 2}, encoding: {x: x('low'), x2: {field: 'high'}}},
      {mark: {type: 'point', filled: true, color, size: 60, opacity: 1}, encoding: {x: x('mean')}},
    ],
  };
}
