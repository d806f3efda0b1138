import type {Layer, Panel} from '../../examples/mnist/report/figureFrame';
import {LABEL_GAP, labelRoom, lineLabels} from '../../examples/mnist/report/lineLabels';
import {PADDING, type Theme, themeColors} from '../../examples/mnist/report/theme';
import type {BandPoint, Series} from './bands';

interface Axis {
  title?: string;
  from: number;
  to: number;
  /** How Vega writes a tick, as an expression over `datum.value`. */
  labels: string;
}

export interface BandPanelOptions {
  theme: Theme;
  title: string;
  subtitle?: string;
  series: Series[];
  x: Axis;
  y: Axis;
  /** Pixels from the left end of the axis to the end of the labels. */
  width: number;
  /**
   * Series of panels above and below, whose labels need as much room: their plots are as wide then.
   */
  alignedWith?: Series[];
  height?: number;
  /** Whether lines are named; default true. False beside a panel that names the same lines. */
  isNamed?: boolean;
}

/** Pixels for the numbers of an axis. */
const AXIS_WIDTH = 48;
const HEIGHT = 220;

/**
 * What a panel may have of a figure of that width in pixels, with `columns` of them side by side.
 */
export const panelWidth = (figure: number, columns = 1, gap = 0): number =>
  Math.floor((figure - 2 * PADDING - (columns - 1) * gap) / columns) - AXIS_WIDTH;

/** Shares as percentages. */
export const PERCENT = "format(datum.value * 100, 'd') + ' %'";
export const PERCENT_1 = "format(datum.value * 100, '.1f') + ' %'";
/** Differences of shares. */
export const POINTS = "datum.value === 0 ? '0' : replace(format(datum.value * 100, '+d'), '-', '−')";
export const COUNT = "format(datum.value, ',d')";

/**
 * Lines with their 95 % bands, each named at its end, unless a panel beside them has the names.
 *
 * Lines that leave the axis of values are cut off at its edge, so that a panel can look at the part
 * that matters.
 */
export function bandPanel({
  theme,
  title,
  subtitle,
  series,
  x,
  y,
  width,
  alignedWith = [],
  height = HEIGHT,
  isNamed = true,
}: BandPanelOptions): Panel {
  const room = isNamed ? labelRoom([...series, ...alignedWith].map(({label}) => label)) : 0;
  const plotWidth = Math.floor(width - room);
  const ends = series.map(({label, style, points}) => ({end: lastSeen(points, x, y), label, style}));
  const crossesZero = y.from < 0 && y.to > 0;
  return {
    width: plotWidth,
    height: Math.max(height, (series.length - 1) * LABEL_GAP),
    title: {text: title, offset: 8, frame: 'group', ...(subtitle !== undefined && {subtitle})},
    encoding: {
      x: {
        field: 'step',
        type: 'quantitative',
        title: x.title ?? null,
        scale: {domain: [x.from, x.to], nice: false},
        axis: {
          labelExpr: x.labels,
          tickCount: Math.max(2, Math.floor(plotWidth / 75)),
          labels: x.title !== undefined,
          labelFlush: false,
          labelSeparation: 8,
        },
      },
      y: {
        field: 'value',
        type: 'quantitative',
        title: y.title ?? null,
        scale: {domain: [y.from, y.to], nice: false},
        axis: {tickCount: 5, labelExpr: y.labels},
      },
    },
    layer: [
      ...(crossesZero ? [zeroLine(x, theme)] : []),
      ...series.map((one) => band(one, theme)),
      ...series.map(line),
      ...(isNamed ? lineLabels(ends, {lastStep: x.to, bottom: y.from, top: y.to, height, theme}) : []),
    ],
  };
}

function zeroLine({from, to}: Axis, theme: Theme): Layer {
  return {
    data: {values: [{step: from, to, value: 0}]},
    mark: {type: 'rule', color: themeColors[theme].quietInk, strokeWidth: 1},
    encoding: {x2: {field: 'to'}},
  };
}

function band({points, style}: Series, theme: Theme): Layer {
  return {
    data: {values: points.map(({x, low, high}) => ({step: x, value: low, high}))},
    mark: {type: 'area', color: style.color, opacity: theme === 'light' ? 0.16 : 0.24, clip: true},
    encoding: {y2: {field: 'high'}},
  };
}

function line({points, style: {color, dash}}: Series): Layer {
  return {
    data: {values: points.map(({x, mean}) => ({step: x, value: mean}))},
    mark: {type: 'line', color, strokeWidth: 2, strokeDash: dash, strokeJoin: 'round', clip: true},
  };
}

/** The last point that lies within both axes: where the label of a line belongs. */
function lastSeen(points: BandPoint[], x: Axis, y: Axis): {step: number; value: number} | undefined {
  const seen = points.filter((point) => point.x <= x.to && point.mean >= y.from && point.mean <= y.to).at(-1);
  return seen && {step: seen.x, value: seen.mean};
}
