import {expect, it} from 'vitest';
import {scrollingTables} from '../../../site/html/scrollingTables';

it('lets a table scroll, and keeps short cells on one line', () => {
  expect(
    scrollingTables('<table>\n<tr><td><b>63.0 ± 4.2 %</b></td>\n<td>a cell with a long sentence</td></tr></table>'),
  ).toBe(
    '<div class="scroll"><table>\n<tr><td class="short"><b>63.0 ± 4.2 %</b></td>\n' +
      '<td>a cell with a long sentence</td></tr></table></div>',
  );
});

it('counts what a reader sees: no markup, and an entity as one character', () => {
  expect(scrollingTables(`<td><a href="${'x'.repeat(40)}">a</a></td>`)).toContain('class="short"');
  expect(scrollingTables(`<td>${'&lt;'.repeat(22)}</td>`)).toContain('class="short"');
  expect(scrollingTables(`<td>${'&lt;'.repeat(23)}</td>`)).not.toContain('class="short"');
});
