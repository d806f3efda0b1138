import type {TopLevelSpec} from 'vega-lite';
import type {Results, RunResult} from '../experiment/results';
import {emptyPanel, type FigureOptions, figureFrame, NARROW, type Panel, WIDE} from './figureFrame';
import {lossTimeline} from './lossTimeline';
import {runLabel} from './runLabel';
import {PADDING, type Theme, themeColors} from './theme';

/**
 * Columns of cells that fit a panel; one more than 60 for those who measure after the first step
 * and then 60 times.
 */
const SLOTS = 61;
const NARROW_SLOTS = 31;
const BINS = 25;

/** Whole pixels for each bin. */
const PANEL_HEIGHT = 4 * BINS;
const AXIS_WIDTH = 46;
const COLUMN_GAP = 16;
const LONGEST_NAME = 22;

/** What all panels share. */
interface Canvas {
  width: number;
  firstStep: number;
  lastStep: number;
  theme: Theme;
  narrow: boolean;
}

/**
 * Figure 2: how the losses spread over the steps; a row of panels for each run, the whole batch
 * beside the backpropagated rows.
 *
 * A cell's colour is the share of the rows whose loss falls there. The scale always ends at 100 %,
 * so that a colour means the same in every panel and in every report.
 */
export function lossHistogramFigure(
  results: Results,
  {theme = 'light', width = WIDE, subtitle}: FigureOptions = {},
): TopLevelSpec {
  const room = width - 2 * PADDING - AXIS_WIDTH;
  const runs = results.runs.filter(({histograms}) => histograms.length > 0);
  const canvas: Canvas = {
    width: Math.floor((room - COLUMN_GAP) / 2),
    firstStep: Math.min(0, ...runs.map(({histograms}) => (histograms[0]?.step ?? 1) - 1)),
    lastStep: Math.max(1, ...runs.flatMap(({steps, histograms}) => [steps.at(-1) ?? 0, histograms.at(-1)?.step ?? 0])),
    theme,
    narrow: width < NARROW,
  };
  return figureFrame(results, {
    theme,
    subtitle,
    title: 'Where the losses lie over training',
    description: describe(runs),
    spacing: 12,
    panels:
      runs.length === 0
        ? [emptyPanel('No histograms were recorded.', room, theme)]
        : runs.map((run, index) => panelRow(run, canvas, index === runs.length - 1)),
  });
}

function panelRow(run: RunResult, canvas: Canvas, last: boolean): Panel {
  const name = runLabel(run.name, LONGEST_NAME);
  const batch = `whole batch (${run.n})`;
  const selected = `backpropagated (${run.k})`;
  return {
    spacing: COLUMN_GAP,
    hconcat: [
      heatmap(run, 'batch', canvas, {
        title: canvas.narrow ? {text: name, subtitle: batch} : {text: `${name} · ${batch}`},
        lossAxis: true,
        stepAxis: last,
      }),
      heatmap(run, 'selected', canvas, {
        title: canvas.narrow ? {text: ' ', subtitle: selected} : {text: selected, fontWeight: 'normal'},
        lossAxis: false,
        stepAxis: last,
      }),
    ],
  };
}

interface PanelText {
  title: {text: string; subtitle?: string; fontWeight?: 'normal'};
  lossAxis: boolean;
  stepAxis: boolean;
}

function heatmap(
  {histograms}: RunResult,
  rows: 'batch' | 'selected',
  {width, firstStep, lastStep, theme, narrow}: Canvas,
  {title, lossAxis, stepAxis}: PanelText,
): Panel {
  return {
    width,
    height: PANEL_HEIGHT,
    view: {stroke: themeColors[theme].grid},
    title: {...title, frame: 'group', offset: 5, limit: width},
    data: {values: lossTimeline(histograms, rows, {slots: narrow ? NARROW_SLOTS : SLOTS, bins: BINS})},
    mark: {type: 'rect'},
    encoding: {
      x: {
        field: 'from',
        type: 'quantitative',
        title: stepAxis ? 'Step' : null,
        // Cells that end on whole pixels leave no seams between them, and no long fractions in the
        // file.
        scale: {domain: [firstStep, lastStep], nice: false, round: true},
        axis: {
          grid: false,
          format: ',d',
          tickCount: Math.min(Math.max(2, Math.floor(width / 65)), lastStep),
          labels: stepAxis,
          labelFlush: true,
        },
      },
      x2: {field: 'to'},
      y: {
        field: 'low',
        type: 'quantitative',
        title: lossAxis ? 'Loss' : null,
        scale: {domain: [0, 1], nice: false, round: true},
        axis: {grid: false, values: [0, 0.5, 1], format: '.1f', labels: lossAxis, labelFlush: true},
      },
      y2: {field: 'high'},
      color: {
        field: 'share',
        type: 'quantitative',
        // Both ends stay off the colour of the page: a single row must be seen.
        scale: {
          type: 'sqrt',
          domain: [0, 1],
          scheme: {name: 'magma', extent: theme === 'light' ? [0.98, 0.05] : [0.2, 1]},
        },
        legend: {
          title: 'Share of the rows (square-root scale)',
          titleLimit: 0,
          orient: 'top',
          values: [0.01, 0.1, 0.25, 0.5, 1],
          labelExpr: "format(datum.value * 100, 'd') + ' %'",
          gradientLength: 240,
          gradientThickness: 10,
        },
      },
    },
  };
}

function describe(runs: RunResult[]): string {
  const names = runs.map(({name}) => name).join(', ');
  return `Heat maps of the losses, from 0 to 1, over the steps: two for each run (${names}), of the whole batch and of the backpropagated rows.`;
}
