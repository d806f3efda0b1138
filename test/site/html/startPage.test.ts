import {expect, it} from 'vitest';
import {withWaysIn} from '../../../site/html/startPage';

const links = {live: 'live/index.html', guide: 'guides/a.html', api: 'api.html'};

it('puts the live page, the first guide and the API below the first paragraph', () => {
  const html = withWaysIn('<h1>a</h1>\n<p>b</p>\n<p>c</p>', links);
  expect(html).toMatch(/<p>b<\/p><p class="ways">.*<\/p>\n<p>c<\/p>$/);
  expect([...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href)).toEqual(Object.values(links));
});

it('refuses a README without a paragraph', () => {
  expect(() => withWaysIn('<h1>a</h1>', links)).toThrow('site: README.md must begin with a paragraph, got none.');
});
