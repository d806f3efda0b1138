import {expect, it} from 'vitest';
import {plainSummaries} from '../../../site/html/plainSummaries';

it('removes permalinks within a summary only', () => {
  const link = '<a href="#a" aria-label="Permalink" class="tsd-anchor-icon"><svg><use></use></svg></a>';
  const page = (inside: string) =>
    `<details><summary class="x"><h2 id="a">A${inside}</h2></summary><h3>B${link}</h3></details><summary>c</summary>`;
  expect(plainSummaries(page(link))).toBe(page(''));
});
