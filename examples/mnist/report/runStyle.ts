import type {Run} from '../experiment/results';
import type {Theme} from './theme';

/**
 * How a run is distinguished from the others: by colour, and by dashes where colours are not seen
 * or not printed.
 */
export interface RunStyle {
  color: string;
  /** Lengths of strokes and gaps in pixels; none for a solid line. */
  dash: number[];
}

interface Paint extends Record<Theme, string> {
  dash: number[];
}

/**
 * The colours that the original experiment gave its four runs, in lightnesses that stay apart for
 * colour-blind readers.
 */
const ORIGINAL: Record<string, Paint> = {
  '512/512': {light: '#3498e0', dark: '#86ccff', dash: []},
  '1024/512': {light: '#d62839', dark: '#ff6b6b', dash: [9, 3]},
  '512/384': {light: '#00746b', dark: '#3fdcbb', dash: [9, 3, 2, 3]},
  '1024/128': {light: '#6a24b8', dark: '#a97bf5', dash: [4, 2]},
};

const FURTHER: Paint[] = [
  {light: '#c66a00', dark: '#ffb454', dash: []},
  {light: '#6b7300', dark: '#d3d854', dash: [9, 3]},
  {light: '#c9409c', dark: '#ff9ad5', dash: [9, 3, 2, 3]},
  {light: '#7a4a2a', dark: '#d4a27f', dash: [4, 2]},
];

const RANDOM: Paint[] = [
  {light: '#8d949c', dark: '#868e97', dash: [2, 3]},
  {light: '#6b7279', dark: '#b3bac1', dash: [6, 4]},
];

/**
 * One style for each run, in order: the original's for its own runs, grey dashes for random
 * controls, further colours for the rest.
 *
 * A list and not a map by name, since nothing forbids to run the same setting twice.
 */
export function runStyles(runs: Run[], theme: Theme): RunStyle[] {
  let further = 0;
  let random = 0;
  const taken = new Set<Paint>();
  return runs.map(({name, rule}) => {
    const original = ORIGINAL[name];
    const paint =
      rule === 'random'
        ? nth(RANDOM, random++)
        : original !== undefined && !taken.has(original)
          ? original
          : nth(FURTHER, further++);
    taken.add(paint);
    return {color: paint[theme], dash: paint.dash};
  });
}

const nth = (paints: Paint[], index: number) => paints[index % paints.length] as Paint;
