import type {TopLevelSpec} from 'vega-lite';
import {type Layer, type Panel, stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import {textWidth} from '../../examples/mnist/report/textWidth';
import {PADDING, type Theme, themeColors} from '../../examples/mnist/report/theme';
import {paletteStyle} from '../kit/palette';
import type {SpeedStep} from './record';

const ROW = 21;
const FONT = 11;
/** Pixels between names, plot and times. */
const GAP = 14;
const TICKS = [0.1, 0.2, 0.3, 0.5, 0.7, 1];
/** How far the axis goes beyond the smallest ratio, in pixels; beyond the largest, as a factor. */
const MARGIN = {least: 44, most: 1.2};

/** What a panel has in common. */
interface Group {
  title: string;
  steps: SpeedStep[];
}

/**
 * The time of a mined step by that of a plain one: a row for each model, a panel for each backend
 * and share of rows, on one logarithmic axis.
 */
export function stepTimes(steps: SpeedStep[], theme: Theme): TopLevelSpec {
  const groups = groupsOf(steps);
  const names = Math.ceil(Math.max(...steps.map(({model}) => textWidth(model, FONT))));
  const times = Math.ceil(Math.max(...steps.map((step) => textWidth(timesSaid(step), FONT))));
  const ratios = steps.flatMap(({ratio, allRatio = ratio}) => [ratio, allRatio]);
  const width = WIDE - 2 * PADDING - names - times - 2 * GAP;
  const domain = domainOf(Math.min(...ratios), Math.max(1, ...ratios) * MARGIN.most, width);
  return stackedPanels({
    theme,
    title: 'Time of a mined step, by that of a plain one',
    subtitle: [
      'left of the line: faster than trainOnBatch over all rows · at the right: plain → mined, on one machine',
      `○ a step of this library over all rows, where measured · ${missingSaid(steps)}`,
    ],
    description: `Time of a mined step by that of trainOnBatch, on a logarithmic axis. ${groups.map(groupSaid).join(' ')}`,
    spacing: 16,
    panels: groups.map((group, index) => panelOf(group, domain, width, index === groups.length - 1, theme)),
  });
}

type Domain = [least: number, most: number];

/** Extends a logarithmic axis to the left, so that the label of the smallest ratio fits in. */
function domainOf(least: number, most: number, width: number): Domain {
  const perPixel = Math.log(most / least) / (width - MARGIN.least);
  return [least * Math.exp(-perPixel * MARGIN.least), most];
}

const ratioSaid = ({ratio}: SpeedStep) => ratio.toFixed(2);

/** `0.70 → 0.48 ms`: as many digits as tell them apart. */
function timesSaid({plainMs, minedMs}: SpeedStep): string {
  const digits = plainMs < 1 ? 2 : plainMs < 10 ? 1 : 0;
  return `${plainMs.toFixed(digits)} → ${minedMs.toFixed(digits)} ms`;
}

const stepSaid = (step: SpeedStep) =>
  `${step.model} ${ratioSaid(step)}${step.allRatio === undefined ? '' : `, with all rows ${step.allRatio.toFixed(2)}`}`;
const groupSaid = ({title, steps}: Group) => `${title}: ${steps.map(stepSaid).join('; ')}.`;

const keptSaid = (kept: number) => (kept === 1 / 2 ? 'the harder half' : `the hardest ${100 * kept} %`);
const backendSaid = ({backend, threads}: SpeedStep) => (threads === 1 ? backend : `${backend} with ${threads} threads`);

function groupsOf(steps: SpeedStep[]): Group[] {
  const titleOf = (step: SpeedStep) => `${backendSaid(step)} · ${keptSaid(step.kept)} of the rows backward`;
  const titles = [...new Set(steps.map(titleOf))];
  return titles.map((title) => ({
    title,
    steps: steps.filter((step) => titleOf(step) === title).sort((one, other) => one.plainMs - other.plainMs),
  }));
}

/** How many models each backend lacks. */
function missingSaid(steps: SpeedStep[]): string {
  const modelOf = ({model}: SpeedStep) => model.split(', batch')[0] as string;
  const modelsOn = (where: string) =>
    new Set(steps.filter((step) => backendSaid(step) === where).map((step) => modelOf(step))).size;
  const all = new Set(steps.map(modelOf)).size;
  const lacking = [...new Set(steps.map(backendSaid))].filter((where) => modelsOn(where) < all);
  if (lacking.length === 0) return `all ${all} models are measured on each backend`;
  const counts = lacking.map((where) => `${modelsOn(where)} on ${where}`).join(' and ');
  return `of ${all} models ${counts} are measured; the others are missing there`;
}

function panelOf({title, steps}: Group, domain: Domain, width: number, isLowest: boolean, theme: Theme): Panel {
  const {ink, quietInk} = themeColors[theme];
  const colorOf = (ratio: number) => paletteStyle(ratio > 1 ? 1 : 0, theme).color;
  const values = steps.map((step) => ({
    ...{model: step.model, ratio: step.ratio, all: step.allRatio, one: 1, color: colorOf(step.ratio)},
    ...{said: ratioSaid(step), times: timesSaid(step)},
  }));
  const [slower, faster] = ['datum.ratio > 1', 'datum.ratio <= 1'];
  const color = {field: 'color', type: 'nominal' as const, scale: null, legend: null};
  const x = {
    field: 'ratio',
    type: 'quantitative' as const,
    title: isLowest ? 'plain step = 1, logarithmic' : null,
    scale: {type: 'log' as const, domain, nice: false},
    axis: {values: TICKS.filter((tick) => tick > domain[0]), labels: isLowest, labelExpr: "format(datum.value, '.1f')"},
  };
  const said = (filter: string, align: 'left' | 'right'): Layer => ({
    transform: [{filter}],
    mark: {type: 'text', align, dx: align === 'left' ? 9 : -9, baseline: 'middle', fontSize: FONT, color: ink},
    encoding: {text: {field: 'said'}},
  });
  return {
    ...{width, height: ROW * steps.length, data: {values}},
    title: {text: title, offset: 6, frame: 'group'},
    encoding: {
      y: {
        field: 'model',
        type: 'nominal',
        title: null,
        sort: steps.map(({model}) => model),
        axis: {labelLimit: 400, labelColor: ink, grid: false},
      },
      x,
    },
    layer: [
      {
        data: {values: [{ratio: 1}]},
        mark: {type: 'rule', color: quietInk, strokeWidth: 1.5},
        encoding: {y: {value: 0}, y2: {value: ROW * steps.length}},
      },
      {mark: {type: 'rule', strokeWidth: 2, opacity: 0.55}, encoding: {x2: {field: 'one'}, color}},
      {mark: {type: 'point', filled: true, size: 70, opacity: 1}, encoding: {color}},
      {
        transform: [{filter: 'isValid(datum.all)'}],
        mark: {type: 'point', filled: false, size: 55, opacity: 1, strokeWidth: 1.5, color: quietInk},
        encoding: {x: {...x, field: 'all'}},
      },
      said(faster, 'right'),
      said(slower, 'left'),
      {
        mark: {type: 'text', align: 'left', baseline: 'middle', fontSize: FONT, color: quietInk},
        encoding: {x: {value: width + GAP}, text: {field: 'times'}},
      },
    ],
  };
}
