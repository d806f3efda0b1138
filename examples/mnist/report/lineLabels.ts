import type {Layer} from './figureFrame';
import type {RunStyle} from './runStyle';
import {spreadLabels} from './spreadLabels';
import {textWidth} from './textWidth';
import {type Theme, themeColors} from './theme';

/** The label of a line, and the last point of it; a line with nothing drawn has none. */
export interface LineLabel {
  end: {step: number; value: number} | undefined;
  style: RunStyle;
  label: string;
}

interface LabelledPanel {
  /** Where the axes end. */
  lastStep: number;
  /** Where the axis of values begins; default 0. */
  bottom?: number;
  top: number;
  height: number;
  theme: Theme;
}

/** Pixels from one label to the next. */
export const LABEL_GAP = 16;
const LABEL_SIZE = 12;
/**
 * From the right edge of the panel: where the leader of a label ends, its sample of the line ends,
 * its text begins.
 */
const LEADER_END = 12;
const SAMPLE_END = 36;
const TEXT_START = 42;

/** Of a panel; a line that ends before has ended early. */
const EARLY = 0.9;

/** Pixels that labels take to the right of a panel. */
export function labelRoom(labels: string[]): number {
  return TEXT_START + Math.max(0, ...labels.map((label) => textWidth(label, LABEL_SIZE)));
}

/**
 * Names to the right of a panel, moved apart where lines end together, each tied to the end of its
 * line.
 *
 * The text is in the page's ink, since a light colour that is good for a line is too pale to read;
 * the sample of the line beside it carries colour and dashes.
 */
export function lineLabels(lines: LineLabel[], {lastStep, bottom = 0, top, height, theme}: LabelledPanel): Layer[] {
  const drawn = lines.flatMap(({end, style, label}) => (end ? [{...end, style, label}] : []));
  const places = spreadLabels(
    drawn.map(({value}) => height * (1 - (value - bottom) / (top - bottom))),
    LABEL_GAP,
    height,
  );
  return drawn.flatMap(({step, value, style: {color, dash}, label}, index): Layer[] => {
    const place = top - ((top - bottom) * (places[index] as number)) / height;
    const beside = {values: [{step: lastStep, value: place}]};
    // A leader across much of the panel would pass for a curve that continues: it is dotted, and
    // the end of the line marked.
    const isEarly = step < EARLY * lastStep;
    const end: Layer = {
      data: {values: [{step, value}]},
      mark: {type: 'point', filled: true, color, size: 36, opacity: 1},
    };
    return [
      {
        data: {values: [{step, value, edge: lastStep, place}]},
        mark: {
          type: 'rule',
          color,
          strokeWidth: 0.8,
          opacity: 0.7,
          xOffset: 2,
          x2Offset: LEADER_END,
          ...(isEarly && {strokeDash: [1, 4]}),
        },
        encoding: {x2: {field: 'edge'}, y2: {field: 'place'}},
      },
      ...(isEarly ? [end] : []),
      {
        data: beside,
        mark: {type: 'rule', color, strokeWidth: 2, strokeDash: dash, xOffset: LEADER_END, x2Offset: SAMPLE_END},
        encoding: {x2: {field: 'step'}},
      },
      {
        data: beside,
        mark: {
          type: 'text',
          text: label,
          align: 'left',
          baseline: 'middle',
          xOffset: TEXT_START,
          fontSize: LABEL_SIZE,
          color: themeColors[theme].ink,
        },
      },
    ];
  });
}
