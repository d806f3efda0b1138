import type {Config} from 'vega-lite';

/** The page that a figure stands on. */
export type Theme = 'light' | 'dark';

export interface ThemeColors {
  page: string;
  ink: string;
  /** Of ticks, subtitles and everything else that is read second. */
  quietInk: string;
  grid: string;
  warning: string;
}

export const themeColors: Record<Theme, ThemeColors> = {
  light: {page: '#ffffff', ink: '#1c2024', quietInk: '#5a6169', grid: '#e6e8eb', warning: '#b00020'},
  dark: {page: '#15181c', ink: '#eceef0', quietInk: '#a3abb3', grid: '#2c3137', warning: '#ff8a80'},
};

/**
 * DejaVu Sans is what the PNGs are drawn with; Verdana, its near twin in width, is on most other
 * machines.
 */
const FONT = 'DejaVu Sans, Verdana, Geneva, sans-serif';

/** Pixels around a figure. */
export const PADDING = 12;

/** How axes, titles and legends look in every figure. */
export function vegaConfig(theme: Theme): Config {
  const {page, ink, quietInk, grid} = themeColors[theme];
  return {
    // Vega would describe every mark to screen readers, cell by cell; the figure's own description
    // says it better.
    aria: false,
    background: page,
    font: FONT,
    padding: PADDING,
    view: {stroke: null},
    axis: {
      domain: false,
      gridColor: grid,
      labelColor: quietInk,
      labelFontSize: 11,
      labelPadding: 6,
      ticks: false,
      titleColor: quietInk,
      titleFontSize: 11,
      titleFontWeight: 'normal',
      titlePadding: 8,
    },
    legend: {
      labelColor: quietInk,
      labelFontSize: 11,
      titleColor: quietInk,
      titleFontSize: 11,
      titleFontWeight: 'normal',
    },
    title: {
      anchor: 'start',
      color: ink,
      fontSize: 12,
      fontWeight: 'bold',
      subtitleColor: quietInk,
      subtitleFontSize: 11,
      subtitlePadding: 4,
    },
  };
}
