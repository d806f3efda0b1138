import type {TopLevelSpec} from 'vega-lite';
import type {Results} from '../experiment/results';
import {drawnWarning} from './drawnWarning';
import {type Theme, themeColors, vegaConfig} from './theme';

export interface FigureOptions {
  theme?: Theme;
  /** Pixels from edge to edge; below {@link NARROW} a figure says less beside its panels. */
  width?: number;
  /** What was run, in place of the settings of a single run. */
  subtitle?: string;
}

export const WIDE = 720;
export const NARROW = 480;

type Stacked = Extract<TopLevelSpec, {vconcat: unknown[]}>;
/** One of the charts that a figure stacks. */
export type Panel = Stacked['vconcat'][number];
/** One of the drawings that lie over each other in a chart. */
export type Layer = Extract<Panel, {layer: unknown[]}>['layer'][number];

interface Stack {
  theme: Theme;
  title: string;
  subtitle: string[];
  /** Whether the subtitle is a warning, and has to be seen. */
  isWarning?: boolean;
  /** What a screen reader says in place of the figure. */
  description: string;
  panels: Panel[];
  spacing: number;
}

/** Stacks panels under the title of a figure. */
export function stackedPanels({
  theme,
  title,
  subtitle,
  isWarning = false,
  description,
  panels,
  spacing,
}: Stack): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description,
    title: {
      text: title,
      fontSize: 15,
      offset: 14,
      subtitle,
      ...(isWarning && {subtitleColor: themeColors[theme].warning, subtitleFontWeight: 'bold'}),
    },
    spacing,
    vconcat: panels,
    config: vegaConfig(theme),
  };
}

/**
 * Stacks panels under the figure's title, with what was run below it, or the warning if the digits
 * were drawn.
 */
export function figureFrame(
  results: Results,
  {description, subtitle, ...stack}: Omit<Stack, 'subtitle' | 'isWarning'> & {subtitle: string | undefined},
): TopLevelSpec {
  const warning = drawnWarning(results.data.source);
  const isWarning = warning.length > 0;
  const {learningRate, seed, backend} = results.settings;
  const settings = subtitle ?? `learning rate ${learningRate} · seed ${seed} · ${backend}`;
  return stackedPanels({
    ...stack,
    description: [description, ...warning].join(' '),
    subtitle: isWarning ? warning : [settings],
    isWarning,
  });
}

/** A panel that says why there is nothing to see. */
export function emptyPanel(text: string, width: number, theme: Theme): Panel {
  return {
    width,
    height: 60,
    data: {values: [{}]},
    mark: {type: 'text', text, color: themeColors[theme].quietInk, fontSize: 12},
  };
}
