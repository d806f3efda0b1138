import type {TopLevelSpec} from 'vega-lite';
import {type Layer, stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import {PADDING, type Theme} from '../../examples/mnist/report/theme';
import type {Box} from '../kit/scenes/box';
import {SIDE} from '../kit/scenes/scene';
import {SHOWN, type SheetScene} from './record';

const COLUMNS = 4;
/** Pixels of a scene between two scenes of the sheet. */
const GAP = 8;
const PITCH = SIDE + GAP;

/** The colours are those on a dark scene, on pages of either theme. */
const KINDS_OF_BOX = [
  {kind: 'digit', color: '#86ccff', dash: [3, 2], width: 1.2},
  {kind: 'found', color: '#3fdcbb', dash: [1, 0], width: 1.6},
  {kind: 'false', color: '#ff6b6b', dash: [1, 0], width: 1.6},
] as const;

interface Drawn {
  kind: (typeof KINDS_OF_BOX)[number]['kind'];
  x: number;
  y: number;
  x2: number;
  y2: number;
  text: string;
}

/** Sixteen test scenes with the boxes of their digits, and with what was found in them. */
export function sheetFigure(scenes: readonly SheetScene[], theme: Theme): TopLevelSpec {
  const width = WIDE - 2 * PADDING;
  const rows = Math.ceil(scenes.length / COLUMNS);
  const scale = width / (COLUMNS * PITCH - GAP);
  const placeOf = (index: number) => ({x: (index % COLUMNS) * PITCH, y: Math.floor(index / COLUMNS) * PITCH});
  const pictures = scenes.map(({picture}, index) => {
    const {x, y} = placeOf(index);
    return {picture, x: x + SIDE / 2, y: y + SIDE / 2};
  });
  const boxes = scenes.flatMap((scene, index) => boxesIn(scene, placeOf(index)));
  const axis = (end: number) => ({type: 'quantitative' as const, scale: {domain: [0, end], nice: false}, axis: null});
  return stackedPanels({
    theme,
    title: 'Test scenes with their digits, and what a detector found',
    subtitle: [
      `trained by ${SHOWN} · first seed · scores from 0.5 on`,
      'dashed blue: digits · green: found · red: false, or with another label',
    ],
    description:
      'Sixteen test scenes of digits and fragments of digits; dashed boxes around the digits, and boxes with labels ' +
      'and scores around what the detector found, right ones in green and false ones in red.',
    spacing: 0,
    panels: [
      {
        ...{width, height: Math.round(scale * (rows * PITCH - GAP))},
        encoding: {
          x: {field: 'x', ...axis(COLUMNS * PITCH - GAP)},
          y: {field: 'y', ...axis(rows * PITCH - GAP), scale: {domain: [rows * PITCH - GAP, 0], nice: false}},
        },
        layer: [
          {
            data: {values: pictures},
            mark: {type: 'image', width: scale * SIDE, height: scale * SIDE},
            encoding: {url: {field: 'picture', type: 'nominal'}},
          },
          ...KINDS_OF_BOX.map((style) => boxLayer(style, boxes)),
          ...KINDS_OF_BOX.slice(1).map((style) => labelLayer(style, boxes)),
        ],
      },
    ],
  });
}

/** The boxes of a scene, at its place on the sheet. */
function boxesIn({objects, detections}: SheetScene, {x, y}: {x: number; y: number}): Drawn[] {
  const drawn = (kind: Drawn['kind'], [y1, x1, y2, x2]: Box, text: string): Drawn => ({
    ...{kind, text, x: x + x1, y: y + y1, x2: x + x2, y2: y + y2},
  });
  return [
    ...objects.map(({label, box}) => drawn('digit', box, String(label))),
    ...detections.map(({label, score, box, isRight}) =>
      drawn(isRight ? 'found' : 'false', box, `${label} · ${Math.round(100 * score)}`),
    ),
  ];
}

type Style = (typeof KINDS_OF_BOX)[number];

const boxLayer = ({kind, color, dash, width}: Style, boxes: Drawn[]): Layer => ({
  data: {values: boxes.filter((box) => box.kind === kind)},
  mark: {type: 'rect', filled: false, stroke: color, strokeWidth: width, strokeDash: [...dash], fillOpacity: 0},
  encoding: {x2: {field: 'x2'}, y2: {field: 'y2'}},
});

const labelLayer = ({kind, color}: Style, boxes: Drawn[]): Layer => ({
  data: {values: boxes.filter((box) => box.kind === kind)},
  mark: {type: 'text', align: 'left', baseline: 'bottom', dy: -1, fontSize: 9, color},
  encoding: {text: {field: 'text', type: 'nominal'}},
});
