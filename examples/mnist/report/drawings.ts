import type {TopLevelSpec} from 'vega-lite';
import type {Results} from '../experiment/results';
import {type FigureOptions, WIDE} from './figureFrame';
import {renderSvg} from './render';
import type {Theme} from './theme';

/** One figure as SVG, for every page that it may stand on. */
export type Drawings = Record<'wide' | 'narrow', Record<Theme, string>>;

/** Fits a phone of 360 pixels. */
const PHONE = 340;

/** Draws a figure for wide pages and for phones, light and dark. */
export async function drawings(
  figure: (results: Results, options: FigureOptions) => TopLevelSpec,
  results: Results,
): Promise<Drawings> {
  const draw = async (width: number) => ({
    light: await renderSvg(figure(results, {theme: 'light', width})),
    dark: await renderSvg(figure(results, {theme: 'dark', width})),
  });
  return {wide: await draw(WIDE), narrow: await draw(PHONE)};
}
