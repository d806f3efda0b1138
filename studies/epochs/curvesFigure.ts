import type {TopLevelSpec} from 'vega-lite';
import {type Panel, stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import {labelRoom} from '../../examples/mnist/report/lineLabels';
import {PADDING, type Theme} from '../../examples/mnist/report/theme';
import {bandPanel, COUNT, PERCENT_1} from '../kit/bandPanel';
import {bandOf, type Series} from '../kit/bands';
import {paletteStyle} from '../kit/palette';
import {seedsSaid} from '../kit/seedsSaid';
import {estimate} from '../kit/statistics';
import type {EpochsRecord} from './record';

interface CurvesFigure {
  theme: Theme;
  task: string;
  error: string;
  /** The title of the panels with a share of wrong labels. */
  titleOf: (share: number) => string;
}

/** The rules that are drawn, with their styles: random rows are grey, as in other figures. */
const SHOWN: Record<string, number> = {
  full: 0,
  'fewer epochs': 5,
  'randomSubset({ratio})': 3,
  'infoBatch()': 2,
  'topK({ratio: 0.5})': 4,
  'infoBatch() and topK({ratio: 0.5})': 1,
};

/** Errors are shown up to this many times the largest of the last ones: the first are far above. */
const HIGHEST = 1.6;
/** Pixels between two panels, and for the numbers of an axis. */
const [GAP, AXIS] = [24, 56];
const HEIGHT = 210;

type Cost = 'forward' | 'seconds';

const lastOf = <Value>(values: readonly Value[]) => values.at(-1) as Value;
const nameOf = (rule: string) => rule.replace(/\(.*?\)/g, '');

/**
 * Draws the error of some rules over the passes, and over the seconds: a row of panels for each
 * share of wrong labels. Only full training has a band, because those of six rules cover one
 * another.
 */
export function curvesFigure(arms: EpochsRecord[][], {theme, task, error, titleOf}: CurvesFigure): TopLevelSpec {
  const shares = [...new Set(arms.map(([first]) => (first as EpochsRecord).flipped))];
  const seeds = (arms[0] as EpochsRecord[]).length;
  return stackedPanels({
    theme,
    title: `${error} on ${task}, over passes and over seconds`,
    subtitle: [`${seedsSaid(seeds, 'full')} · passes over the data, forward · seconds of the processor`],
    description: `${error} of six rules while they train, over passes and over seconds, without and with wrong labels.`,
    spacing: 26,
    panels: shares.map((share) => rowOf(arms, share, titleOf(share), theme)),
  });
}

function rowOf(arms: EpochsRecord[][], share: number, title: string, theme: Theme): Panel {
  const seriesOf = (cost: Cost) =>
    Object.entries(SHOWN).flatMap(([rule, style]): Series[] => {
      const records = arms.find(([first]) => first?.rule === rule && first.flipped === share);
      return records ? [{label: nameOf(rule), style: paletteStyle(style, theme), points: curveOf(records, cost)}] : [];
    });
  const [passes, seconds] = [seriesOf('forward'), seriesOf('seconds')];
  const room = labelRoom(seconds.map(({label}) => label));
  const plot = Math.floor((WIDE - 2 * PADDING - GAP - 2 * AXIS - room) / 2);
  const panel = (series: Series[], name: string, x: string, isNamed: boolean) =>
    bandPanel({
      ...{theme, series, isNamed, title: name, height: HEIGHT, width: isNamed ? plot + room : plot},
      x: {title: x, from: 0, to: Math.ceil(Math.max(...series.map(({points}) => lastOf(points).x))), labels: COUNT},
      y: {...rangeOf(series), labels: PERCENT_1},
    });
  return {
    spacing: GAP,
    hconcat: [panel(passes, title, 'Passes', false), panel(seconds, 'by time', 'Seconds', true)],
  };
}

/** The curve of a rule, with a band if it is full training. */
function curveOf(records: EpochsRecord[], cost: Cost) {
  const {rule, testError} = records[0] as EpochsRecord;
  const xs = testError.map((_, place) => estimate(records.map((record) => record[cost][place] as number)).mean);
  const points = bandOf(
    xs,
    records.map((record) => record.testError),
  );
  return rule === 'full' ? points : points.map(({x, mean}) => ({x, mean, low: mean, high: mean}));
}

/** From below all curves to some way above their ends. */
function rangeOf(series: Series[]): {from: number; to: number} {
  const least = Math.min(...series.flatMap(({points}) => points.map(({low}) => low)));
  return {from: 0.97 * least, to: HIGHEST * Math.max(...series.map(({points}) => lastOf(points).mean))};
}
