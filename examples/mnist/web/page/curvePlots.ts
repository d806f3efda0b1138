import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type {Run} from '../../experiment/results';
import {runStyles} from '../../report/runStyle';
import {type Theme, themeColors} from '../../report/theme';
import type {Curves} from '../protocol';
import {accuracyColumns, type Columns, lossColumns, stepExtent} from './curveData';
import {element} from './element';
import {darkPage, themeNow} from './pageTheme';

/** Figure 1: the curves of all runs. */
export interface CurvePlots {
  /** Draws other runs, from nothing. */
  reset(runs: Run[], steps: number): void;
  /** Draws the curves as they are now, at the next frame. */
  draw(curves: readonly Curves[]): void;
}

const FONT = "11px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

export function curvePlots(): CurvePlots {
  const places = [element('accuracy', HTMLDivElement), element('loss', HTMLDivElement)];
  let runs: Run[] = [];
  let steps = 1;
  let curves: readonly Curves[] = [];
  let plots: uPlot[] = [];
  let frame = 0;

  const extent = () => stepExtent(Math.max(0, ...curves.map(({selectedLoss}) => selectedLoss.length)), steps);
  const columns = (): Columns[] => [accuracyColumns(curves), lossColumns(curves)];

  function build(): void {
    for (const plot of plots) plot.destroy();
    const percents = (_: uPlot, values: number[]) => values.map((value) => `${Math.round(100 * value)} %`);
    const losses = (_: uPlot, values: number[]) => values.map((value) => value.toFixed(1));
    const data = columns();
    plots = [
      {ticks: percents, most: 1, hasPoints: true},
      {ticks: losses, most: 0.5, hasPoints: false},
    ].map(({ticks, most, hasPoints}, index) => {
      const place = places[index] as HTMLDivElement;
      const options = {
        ...plotOptions(themeNow(), place, extent, ticks, most),
        series: seriesOf(runs, themeNow(), hasPoints),
      };
      return new uPlot(options, data[index] as uPlot.AlignedData, place);
    });
  }

  const drawSoon = () => {
    if (frame) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      columns().forEach((data, index) => {
        plots[index]?.setData(data as uPlot.AlignedData);
      });
    });
  };

  const observer = new ResizeObserver(() => {
    plots.forEach((plot, index) => {
      plot.setSize(sizeOf(places[index] as HTMLDivElement));
    });
  });
  for (const place of places) observer.observe(place);
  darkPage.addEventListener('change', build);

  return {
    reset(newRuns, newSteps) {
      runs = newRuns;
      steps = newSteps;
      curves = runs.map(() => ({selectedLoss: [], testAccuracy: []}));
      build();
    },
    draw(newCurves) {
      curves = newCurves;
      drawSoon();
    },
  };
}

const sizeOf = ({clientWidth, clientHeight}: HTMLElement) => ({width: clientWidth, height: clientHeight});

function plotOptions(
  theme: Theme,
  place: HTMLElement,
  extent: () => number,
  ticks: (plot: uPlot, values: number[]) => string[],
  most: number,
): Omit<uPlot.Options, 'series'> {
  const {quietInk, grid} = themeColors[theme];
  const axis = {stroke: quietInk, font: FONT, grid: {stroke: grid, width: 1}, ticks: {show: false}};
  return {
    ...sizeOf(place),
    legend: {show: false},
    cursor: {show: false},
    padding: [8, 12, 0, 0],
    scales: {
      x: {time: false, range: () => [0, extent()]},
      y: {range: (_, __, highest) => [0, Math.max(most, Math.ceil(10 * (highest ?? 0)) / 10)]},
    },
    axes: [
      {...axis, size: 26, gap: 4, space: 40},
      {...axis, size: 48, gap: 6, values: ticks, space: 36},
    ],
  };
}

/** @param hasPoints  whether each value has a dot: seldom ones, which a line alone would hide. */
const seriesOf = (runs: Run[], theme: Theme, hasPoints: boolean): uPlot.Series[] => [
  {},
  ...runStyles(runs, theme).map(({color, dash}) => ({
    stroke: color,
    width: 2,
    dash,
    spanGaps: true,
    points: hasPoints ? {show: true, size: 6, fill: color} : {show: false},
  })),
];
