import type {Plugin} from 'vite';
import {describe, expect, it} from 'vitest';
import config from '../../../../examples/mnist/web/vite.config';

interface Transforms {
  transformIndexHtml: {handler(html: string): string};
}
const stylesOfFiles = (config.plugins as Plugin[]).find(
  ({name}) => name === 'styles-of-files',
) as unknown as Transforms;

describe('the build of the page', () => {
  it('has styles that a browser gives to a page opened as a file', () => {
    const {handler} = stylesOfFiles.transformIndexHtml;
    expect(handler('<link rel="stylesheet" crossorigin href="./a.css">')).toBe(
      '<link rel="stylesheet" href="./a.css">',
    );
  });

  it('works from any folder', () => {
    expect(config.base).toBe('./');
  });
});
