import {createRequire} from 'node:module';
import {Resvg} from '@resvg/resvg-js';
import {logger, parse, resetSVGDefIds, textMetrics, View, Warn} from 'vega';
import {compile, type TopLevelSpec} from 'vega-lite';
import {escapeMarkup} from './escapeMarkup';
import {textWidth} from './textWidth';

interface MeasuredText {
  fontSize?: number;
  fontWeight?: string | number;
  /** The width that the text is cut at. */
  limit?: number;
}

declare module 'vega' {
  /** How Vega measures text: there, and meant to be replaced, but missing from its types. */
  export const textMetrics: {width(item: MeasuredText, text: unknown): number};
}

// Without a canvas Vega takes every character for 0.8 of the font size wide, and leaves that much
// room.
textMetrics.width = ({fontSize = 11, fontWeight, limit}, text) => {
  const width = textWidth(String(text ?? ''), fontSize, {bold: fontWeight === 'bold'});
  return limit ? Math.min(limit, width) : width;
};

/**
 * Draws a Vega-Lite figure as SVG; needs neither a browser nor a canvas. The figure's description
 * becomes its label.
 */
export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), {renderer: 'none', logger: strictLogger()});
  try {
    resetSVGDefIds();
    const svg = await view.toSVG();
    return (
      svg
        .replace('<svg ', () => `<svg role="img" aria-label="${escapeMarkup(spec.description ?? '')}" `)
        // Cells side by side would show seams wherever the page scales the figure.
        .replaceAll('class="mark-rect role-mark', 'shape-rendering="crispEdges" class="mark-rect role-mark')
        // Most of a heat map's file is the colours of its cells.
        .replace(/ fill="rgb\((\d+), (\d+), (\d+)\)"/g, (_, red, green, blue) => ` fill="${hex(red, green, blue)}"`)
    );
  } finally {
    view.finalize();
  }
}

const hex = (...channels: string[]) =>
  `#${channels.map((channel) => Number(channel).toString(16).padStart(2, '0')).join('')}`;

/**
 * Vega logs what goes wrong while it draws, and hands out the half of a figure: an error should be
 * one.
 */
function strictLogger() {
  const strict = logger(Warn);
  strict.error = (...reasons) => {
    throw new Error(`renderSvg: ${reasons.join(' ')}`);
  };
  return strict;
}

const require = createRequire(import.meta.url);
const FONT_FILES = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) =>
  require.resolve(`dejavu-fonts-ttf/ttf/${file}`),
);

/** How large a PNG is drawn: `width` in pixels, or the SVG's own size times `scale`. */
export type PngSize = {width: number} | {scale: number};

/**
 * Turns an SVG into a PNG, with fonts from a package, since a server or a container may have none
 * of its own.
 */
export function renderPng(svg: string, size: PngSize = {scale: 2}): Uint8Array {
  const picture = new Resvg(svg, {
    fitTo: 'width' in size ? {mode: 'width', value: size.width} : {mode: 'zoom', value: size.scale},
    font: {fontFiles: FONT_FILES, loadSystemFonts: false, defaultFontFamily: 'DejaVu Sans'},
  });
  return picture.render().asPng();
}
