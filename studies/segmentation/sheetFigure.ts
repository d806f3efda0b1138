import type {TopLevelSpec} from 'vega-lite';
import {stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import {PADDING, type Theme, themeColors} from '../../examples/mnist/report/theme';
import {SHOWN, type SheetScene} from './record';

/** Pixels between two pictures. */
const GAP = 8;

/** Test scenes, the kinds of their pixels, and those that networks predict: a row per scene. */
export function sheetFigure(scenes: readonly SheetScene[], theme: Theme): TopLevelSpec {
  const columns = ['scene', 'true', ...SHOWN];
  const width = WIDE - 2 * PADDING;
  const side = (width - GAP * (columns.length - 1)) / columns.length;
  const placeOf = (place: number) => place * (side + GAP) + side / 2;
  const height = Math.round(scenes.length * (side + GAP) - GAP);
  const pictures = scenes.flatMap(({picture, truth, found}, row) =>
    [picture, truth, ...found].map((url, column) => ({url, x: placeOf(column), y: placeOf(row)})),
  );
  const axis = (end: number) => ({type: 'quantitative' as const, scale: {domain: [0, end], nice: false}, axis: null});
  const y = {...axis(height), scale: {domain: [height, 0], nice: false}};
  return stackedPanels({
    theme,
    title: 'Test scenes, and the pixels that networks take for digits',
    subtitle: ['first seed · blue: digit'],
    description:
      `Six test scenes of digits and fragments of digits, the pixels of the digits, and those that networks trained ` +
      `by ${SHOWN.join(', ')} take for digits.`,
    spacing: 0,
    panels: [
      {
        ...{width, height},
        encoding: {x: {field: 'x', ...axis(width)}, y: {field: 'y', ...y}},
        layer: [
          {
            data: {values: pictures},
            mark: {type: 'image', width: side, height: side},
            encoding: {url: {field: 'url', type: 'nominal'}},
          },
          {
            data: {values: columns.map((text, column) => ({text, x: placeOf(column), y: 0}))},
            mark: {type: 'text', baseline: 'bottom', dy: -4, fontSize: 11, color: themeColors[theme].quietInk},
            encoding: {text: {field: 'text', type: 'nominal'}},
          },
        ],
      },
    ],
  });
}
