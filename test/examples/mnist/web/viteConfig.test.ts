import type {Plugin} from 'vite';
import {afterEach, describe, expect, it, vi} from 'vitest';
import config from '../../../../examples/mnist/web/vite.config';

interface Transforms {
  transformIndexHtml(html: string): string;
}
const linkToSite = (config.plugins as Plugin[]).find(({name}) => name === 'link-to-site') as unknown as Transforms;

describe('the build of the page', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('links to the page above it as a part of the site', () => {
    vi.stubEnv('SITE', '1');
    expect(linkToSite.transformIndexHtml('<header><!-- site --></header>')).toContain('<a href="../">');
  });

  it('has no such link alone', () => {
    vi.stubEnv('SITE', '');
    expect(linkToSite.transformIndexHtml('<header><!-- site --></header>')).toBe('<header></header>');
  });

  it('works from any folder', () => {
    expect(config.base).toBe('./');
  });
});
