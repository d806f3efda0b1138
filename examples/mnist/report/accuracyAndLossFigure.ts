import type {TopLevelSpec} from 'vega-lite';
import type {Results, RunResult} from '../experiment/results';
import {type CurvePoint, lastDrawn, lonely, movingMedian, thinned} from './curve';
import {emptyPanel, type FigureOptions, figureFrame, type Layer, NARROW, type Panel, WIDE} from './figureFrame';
import {LABEL_GAP, labelRoom, lineLabels} from './lineLabels';
import {percent} from './percent';
import {runLabel} from './runLabel';
import {type RunStyle, runStyles} from './runStyle';
import {PADDING, type Theme} from './theme';

/** Points of a curve of single steps: as many as a wide figure has pixels to tell them apart. */
const RAW_POINTS = 600;
const NARROW_RAW_POINTS = 240;
/** Points of a run that are few enough to show where each of them was measured. */
const DOTTED_POINTS = 40;
/** Share of the steps that the moving median looks at. */
const SMOOTHED_SHARE = 1 / 30;

const PANEL_HEIGHT = 220;
const AXIS_WIDTH = 48;
/** Characters of a run's name that a wide and a narrow figure have room for. */
const LONGEST_NAME = 22;
const LONGEST_NARROW_NAME = 14;

/** What stands in both panels. */
interface Canvas {
  width: number;
  lastStep: number;
  theme: Theme;
}

interface Curve {
  style: RunStyle;
  /** The thin curve behind. */
  raw: CurvePoint[];
  /** The bold one. */
  bold: CurvePoint[];
  label: string;
}

/**
 * Figure 1: test accuracy, and mean loss of the backpropagated rows, over the steps; one line a
 * run.
 *
 * The runs are named at the ends of their lines, with a sample of the line, so that no reader has
 * to match colours with a legend.
 */
export function accuracyAndLossFigure(
  results: Results,
  {theme = 'light', width = WIDE, subtitle}: FigureOptions = {},
): TopLevelSpec {
  const {runs} = results;
  const styles = runStyles(runs, theme);
  const detail = detailOf(runs, width);
  const accuracies = runs.map((run, index) => accuracyCurve(run, styles[index] as RunStyle, detail));
  const losses = runs.map((run, index) => lossCurve(run, styles[index] as RunStyle, detail));
  const canvas: Canvas = {
    width: Math.floor(width - 2 * PADDING - AXIS_WIDTH - labelRoom([...accuracies, ...losses].map(({label}) => label))),
    lastStep: Math.max(
      1,
      ...runs.flatMap(({steps, testAccuracy}) => [steps.at(-1) ?? 0, testAccuracy.at(-1)?.step ?? 0]),
    ),
    theme,
  };
  const measured = accuracies.some(({bold}) => lastDrawn(bold));
  return figureFrame(results, {
    theme,
    subtitle,
    title: 'Accuracy and loss over training',
    description: describe(runs),
    spacing: 22,
    panels:
      runs.length === 0
        ? [emptyPanel('Nothing was run.', canvas.width, theme)]
        : [
            panel(accuracies, canvas, {
              title: 'Test accuracy',
              subtitle: measured ? [] : ['not measured yet'],
              top: 1,
              axisFormat: "format(datum.value * 100, 'd') + ' %'",
            }),
            panel(losses, canvas, {
              title: 'Mean loss of the backpropagated rows',
              subtitle: lossSubtitle(detail),
              top: niceCeiling(Math.max(0, ...losses.flatMap(({raw}) => raw.map(({value}) => value ?? 0)))),
              stepTitle: 'Step',
            }),
          ],
  });
}

/** How closely the curves are drawn, and how much is said about them. */
interface Detail {
  roomy: boolean;
  /** Steps of the longest run. */
  steps: number;
  /** Points of a raw curve. */
  points: number;
  /**
   * Steps that the moving median looks at: the same for every run, and odd, so that it has a
   * middle.
   */
  window: number;
}

function detailOf(runs: RunResult[], width: number): Detail {
  const roomy = width >= NARROW;
  const steps = Math.max(0, ...runs.map((run) => run.steps.length));
  return {
    roomy,
    steps,
    points: roomy ? RAW_POINTS : NARROW_RAW_POINTS,
    window: 2 * Math.floor((steps * SMOOTHED_SHARE) / 2) + 1,
  };
}

function accuracyCurve({name, testAccuracy}: RunResult, style: RunStyle, {roomy, points}: Detail): Curve {
  const bold = thinned(
    testAccuracy.map(({step}) => step),
    testAccuracy.map(({accuracy}) => accuracy),
    points,
  );
  const last = lastDrawn(bold);
  const label = roomy && last ? `${curveName(name, roomy)} · ${percent(last.value)}` : curveName(name, roomy);
  return {style, raw: [], bold, label};
}

function lossCurve({name, steps, selectedLoss}: RunResult, style: RunStyle, {roomy, points, window}: Detail): Curve {
  return {
    style,
    raw: thinned(steps, selectedLoss, points),
    bold: movingMedian(steps, selectedLoss, window, points / 2),
    label: curveName(name, roomy),
  };
}

const curveName = (name: string, roomy: boolean) => runLabel(name, roomy ? LONGEST_NAME : LONGEST_NARROW_NAME);

/** What the bold and the thin lines are, on one line of text where there is room for it. */
function lossSubtitle({roomy, steps, points, window}: Detail): string[] {
  if (window === 1) {
    return [];
  }
  const stretch = Math.ceil(steps / Math.floor(points / 2));
  const parts = [
    `bold: moving median of ${window.toLocaleString('en-US')} steps`,
    steps > points ? `thin: lowest and highest of every ${stretch.toLocaleString('en-US')}` : 'thin: every step',
  ];
  return roomy ? [parts.join(' · ')] : parts;
}

interface PanelText {
  title: string;
  subtitle: string[];
  /** Where the value axis ends; it begins at 0. */
  top: number;
  axisFormat?: string;
  /** Title of the axis of steps, on the one panel that has it. */
  stepTitle?: string;
}

function panel(curves: Curve[], canvas: Canvas, {title, subtitle, top, axisFormat, stepTitle}: PanelText): Panel {
  const sparse = curves.every(({bold}) => bold.length <= DOTTED_POINTS);
  const height = Math.max(PANEL_HEIGHT, (curves.length - 1) * LABEL_GAP);
  return {
    width: canvas.width,
    height,
    title: {text: title, offset: 8, frame: 'group', ...(subtitle.length > 0 && {subtitle})},
    encoding: {
      x: {
        field: 'step',
        type: 'quantitative',
        title: stepTitle ?? null,
        scale: {domain: [0, canvas.lastStep], nice: false},
        axis: {
          format: ',d',
          tickCount: Math.min(Math.max(2, Math.floor(canvas.width / 75)), canvas.lastStep),
          labels: stepTitle !== undefined,
          labelFlush: false,
          labelSeparation: 8,
        },
      },
      y: {
        field: 'value',
        type: 'quantitative',
        title: null,
        scale: {domain: [0, top], nice: false},
        axis: {tickCount: 5, ...(axisFormat !== undefined && {labelExpr: axisFormat})},
      },
    },
    layer: [
      ...curves.map(({raw, style}) => line(raw, {color: style.color, strokeWidth: 0.7, opacity: 0.35})),
      ...curves.map(({bold, style}) =>
        line(bold, {color: style.color, strokeWidth: 2, strokeDash: style.dash, strokeJoin: 'round'}),
      ),
      ...curves.map(({bold, style}) => dots(sparse ? bold : lonely(bold), style)),
      ...lineLabels(
        curves.flatMap(({bold, style, label}) => ({end: lastDrawn(bold), style, label})),
        {lastStep: canvas.lastStep, top, height, theme: canvas.theme},
      ),
    ],
  };
}

function line(points: CurvePoint[], look: object): Layer {
  return {data: {values: points}, mark: {type: 'line', ...look}};
}

function dots(points: CurvePoint[], {color}: RunStyle): Layer {
  return {data: {values: points}, mark: {type: 'point', filled: true, size: 18, opacity: 1, color}};
}

/** The next value that makes a round axis end, a little above the highest point. */
function niceCeiling(highest: number): number {
  if (highest <= 0) {
    return 1;
  }
  const unit = 10 ** Math.floor(Math.log10(highest)) / 2;
  return Math.ceil(highest / unit) * unit;
}

function describe(runs: RunResult[]): string {
  const ends = runs.map(({name, testAccuracy}) => {
    const last = testAccuracy.at(-1);
    return `${name}: ${last ? `${percent(last.accuracy)} after step ${last.step}` : 'not measured'}`;
  });
  return `Line charts of test accuracy and of the mean loss of the backpropagated rows over the steps, a line for each run. Last test accuracy of ${ends.join('; ')}.`;
}
