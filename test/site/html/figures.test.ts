import {expect, it} from 'vitest';
import {figuresInBothThemes, sizeOfSvg} from '../../../site/html/figures';
import {readSource} from '../../support/sources';

const PICTURE = [
  '<picture>',
  '  <source media="(prefers-color-scheme: dark)" srcset="media/a-dark.svg">',
  '  <img alt="A curve" src="media/a-light.svg">',
  '</picture>',
].join('\n');
const sizeOf = () => ({width: 700, height: 400});

it('shows a figure once in light and once in dark, each linked to its file', () => {
  const image = (theme: string) =>
    `<a class="in-${theme}" href="media/a-${theme}.svg">` +
    `<img alt="A curve" src="media/a-${theme}.svg" width="700" height="400" loading="lazy"></a>`;
  expect(figuresInBothThemes(`<p>x</p>\n${PICTURE}\n<p>y</p>`, sizeOf)).toBe(
    `<p>x</p>\n<div class="figure">${image('light')}${image('dark')}</div>\n<p>y</p>`,
  );
});

it('refuses a picture in another form', () => {
  expect(() => figuresInBothThemes('<picture><img src="a.svg"></picture>', sizeOf)).toThrow(
    'site: a <picture> must have a dark source, then an image with alt and src, got <picture><img src="a.svg">',
  );
});

it('reads the size of a figure from its file', () => {
  expect(sizeOfSvg(readSource('docs/results/reference/figure-1-dark.svg').text)).toEqual({width: 714, height: 641});
  expect(() => sizeOfSvg('<svg viewBox="0 0 1 1"></svg>')).toThrow(
    'site: an SVG must state its width and height, got none.',
  );
});
