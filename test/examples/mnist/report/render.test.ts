import {createRequire} from 'node:module';
import {Resvg} from '@resvg/resvg-js';
import {describe, expect, it} from 'vitest';
import {accuracyAndLossFigure, lossHistogramFigure} from '../../../../examples/mnist/report/figures';
import {renderPng, renderSvg} from '../../../../examples/mnist/report/render';
import {exampleResults} from './exampleResults';

const require = createRequire(import.meta.url);
const SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50"><rect width="100" height="50"/></svg>';

const pngSize = (png: Uint8Array) => {
  const bytes = Buffer.from(png);
  return {width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20)};
};

describe('renderSvg', () => {
  it('labels the picture with the description of the figure, escaped', async () => {
    const results = exampleResults({steps: 5, runs: ['a "<b>" $& run']});
    const svg = await renderSvg(accuracyAndLossFigure(results));
    expect(svg).toMatch(/^<svg role="img" aria-label="Line charts of test accuracy/);
    expect(svg).toContain('a &quot;&lt;b&gt;&quot; $&amp; run: ');
    expect(svg).not.toContain('<b>');
  });

  it('draws the same figure the same way every time', async () => {
    const figure = lossHistogramFigure(exampleResults({steps: 20, runs: ['512/384']}));
    expect(await renderSvg(figure)).toBe(await renderSvg(figure));
  });

  it('fails where Vega fails, instead of handing out half a figure', async () => {
    const broken = {data: {values: [{a: 1}]}, transform: [{calculate: 'datum.a.b.c', as: 'x'}], mark: 'bar'} as never;
    await expect(renderSvg(broken)).rejects.toThrow('renderSvg: ');
  });

  it.each([720, 340])('leaves room for all text of a figure of %d pixels', async (width) => {
    for (const figure of [accuracyAndLossFigure, lossHistogramFigure]) {
      const svg = await renderSvg(figure(exampleResults({steps: 100, snapshots: 10}), {width}));
      const background = /<rect width="\d+" height="\d+" fill="#ffffff"\/?>(<\/rect>)?/;
      expect(svg).toMatch(background);
      const picture = new Resvg(svg.replace(background, ''), {
        font: {
          fontFiles: [
            require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
            require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'),
          ],
          loadSystemFonts: false,
        },
      });
      const ink = picture.innerBBox();
      expect(ink?.x).toBeGreaterThan(0);
      expect(ink?.y).toBeGreaterThan(0);
      expect((ink?.x ?? 0) + (ink?.width ?? 0)).toBeLessThan(picture.width);
      expect((ink?.y ?? 0) + (ink?.height ?? 0)).toBeLessThan(picture.height);
    }
  });
});

describe('renderPng', () => {
  it('makes a PNG', () => {
    expect([...renderPng(SQUARE).slice(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  });

  it('draws twice the size by default', () => {
    expect(pngSize(renderPng(SQUARE))).toEqual({width: 200, height: 100});
    expect(pngSize(renderPng(SQUARE, {scale: 3}))).toEqual({width: 300, height: 150});
    expect(pngSize(renderPng(SQUARE, {width: 50}))).toEqual({width: 50, height: 25});
  });

  it('draws text without any font of the system', () => {
    const text = (content: string) =>
      renderPng(
        `<svg xmlns="http://www.w3.org/2000/svg" width="99" height="50"><text x="9" y="30">${content}</text></svg>`,
      );
    expect(text('½ Σ')).not.toEqual(text(''));
  });
});
