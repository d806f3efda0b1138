import type {TopLevelSpec} from 'vega-lite';
import type {Results} from '../experiment/results';
import {drawnWarning} from './drawnWarning';
import {type Theme, themeColors, vegaConfig} from './theme';

export interface FigureOptions {
  theme?: Theme;
  /** Pixels from edge to edge; below {@link NARROW} a figure says less beside its panels. */
  width?: number;
}

export const WIDE = 720;
export const NARROW = 480;

type Stacked = Extract<TopLevelSpec, {vconcat: unknown[]}>;
/** One of the charts that a figure stacks. */
export type Panel = Stacked['vconcat'][number];
/** One of the drawings that lie over each other in a chart. */
export type Layer = Extract<Panel, {layer: unknown[]}>['layer'][number];

interface Framed {
  theme: Theme;
  title: string;
  /** What a screen reader says in place of the figure. */
  description: string;
  panels: Panel[];
  spacing: number;
}

/** Stacks panels under the figure's title, with the settings below it, and the warning if the digits were drawn. */
export function figureFrame(results: Results, {theme, title, description, panels, spacing}: Framed): TopLevelSpec {
  const warning = drawnWarning(results.data.source);
  const {learningRate, seed, backend} = results.settings;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description: [description, ...warning].join(' '),
    title: {
      text: title,
      fontSize: 15,
      offset: 14,
      subtitle: warning.length > 0 ? warning : [`learning rate ${learningRate} · seed ${seed} · ${backend}`],
      ...(warning.length > 0 && {subtitleColor: themeColors[theme].warning, subtitleFontWeight: 'bold'}),
    },
    spacing,
    vconcat: panels,
    config: vegaConfig(theme),
  };
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
