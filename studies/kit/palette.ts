import type {RunStyle} from '../../examples/mnist/report/runStyle';
import type {Theme} from '../../examples/mnist/report/theme';

/**
 * Colours of lines that are not runs of the original: those of its four runs, in other roles, with
 * the same dashes, so that colour-blind readers can tell them apart.
 */
const PAINTS: (Record<Theme, string> & {dash: number[]})[] = [
  {light: '#3498e0', dark: '#86ccff', dash: []},
  {light: '#d62839', dark: '#ff6b6b', dash: [9, 3]},
  {light: '#00746b', dark: '#3fdcbb', dash: [9, 3, 2, 3]},
  {light: '#8d949c', dark: '#868e97', dash: [2, 3]},
  // For figures with more lines than the original has runs.
  {light: '#6a24b8', dark: '#c39bff', dash: [14, 3]},
  {light: '#b35c00', dark: '#ffb357', dash: [5, 2, 1, 2, 1, 2]},
  {light: '#1c2024', dark: '#eceef0', dash: [1, 2]},
];

/** The style of the line with this number. */
export function paletteStyle(index: number, theme: Theme): RunStyle {
  const paint = PAINTS[index % PAINTS.length] as (typeof PAINTS)[number];
  return {color: paint[theme], dash: paint.dash};
}
