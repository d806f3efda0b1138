import {expect, it} from 'vitest';
import {withWayBack} from '../../site/live';
import {readSource} from '../support/sources';

it('puts a way back before the header of the live page', () => {
  const html = withWayBack(readSource('examples/mnist/web/index.html').text);
  expect(html).toMatch(/<nav class="way-back" aria-label="Site">\s*<a href="\.\.\/index\.html">/);
  expect(html.indexOf('way-back')).toBeLessThan(html.indexOf('<header'));
  expect(html.indexOf('way-back')).toBeGreaterThan(html.indexOf('class="skip"'));
});

it('refuses a page without a header', () => {
  expect(() => withWayBack('<main></main>')).toThrow('site: the live page must have a <header>');
});
