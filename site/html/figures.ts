/** Width and height of an image, in pixels. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

const PICTURE =
  /<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">\s*<img alt="([^"]*)" src="([^"]+)">\s*<\/picture>/g;

/**
 * Replaces each `<picture>` by a light and a dark image, of which the style sheet shows one.
 *
 * A `<picture>` follows the system only, and this site has a choice of its own. Each image links to
 * its file, which a reader can magnify.
 *
 * @param sizeOf  the size of the image at an address, so that the page does not jump when it loads.
 * @throws Error for a `<picture>` in another form.
 */
export function figuresInBothThemes(html: string, sizeOf: (src: string) => ImageSize): string {
  const figures = html.replace(PICTURE, (_, dark: string, alt: string, light: string) => {
    const image = (src: string, theme: string) => {
      const {width, height} = sizeOf(src);
      const size = `width="${width}" height="${height}"`;
      return `<a class="in-${theme}" href="${src}"><img alt="${alt}" src="${src}" ${size} loading="lazy"></a>`;
    };
    return `<div class="figure">${image(light, 'light')}${image(dark, 'dark')}</div>`;
  });
  const other = /<picture[\s\S]{0,120}/.exec(figures)?.[0];
  if (other) {
    throw new Error(
      `site: a <picture> must have a dark source, then an image with alt and src, got ${other}. ` +
        'Write it as in README.md.',
    );
  }
  return figures;
}

/** Reads the size that an SVG file states. */
export function sizeOfSvg(svg: string): ImageSize {
  const [, width, height] = /<svg[^>]*\swidth="([\d.]+)"\sheight="([\d.]+)"/.exec(svg) ?? [];
  if (!width || !height) throw new Error('site: an SVG must state its width and height, got none.');
  return {width: Number(width), height: Number(height)};
}
