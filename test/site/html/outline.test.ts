import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {outlined} from '../../../site/html/outline';

const levelsOf = (html: string) => [...html.matchAll(/<h(\d)/g)].map(([, level]) => Number(level));
const headings = (levels: readonly number[]) => levels.map((level) => `<h${level} id="a">x</h${level}>`).join('');

describe('outlined', () => {
  it('closes the gaps between levels, and keeps the old level as the size', () => {
    expect(outlined('<h1>a</h1><h4 class="b">c</h4><h5>d</h5><h2>e</h2>')).toBe(
      '<h1 data-size="1">a</h1><h2 data-size="4" class="b">c</h2><h3 data-size="5">d</h3><h2 data-size="2">e</h2>',
    );
  });

  it('leaves other elements alone', () => {
    const html = '<header><hr><html><p>h1</p></header>';
    expect(outlined(html)).toBe(html);
  });

  it('never skips a level, closes what it opens, and keeps the order of two levels', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({min: 1, max: 6})), (levels) => {
        const html = outlined(headings([1, ...levels]));
        const found = levelsOf(html);
        for (let i = 1; i < found.length; i++) {
          expect(found[i]).toBeLessThanOrEqual((found[i - 1] as number) + 1);
          const deeper = Math.sign(([1, ...levels][i] as number) - ([1, ...levels][i - 1] as number));
          if (deeper > 0) expect(found[i]).toBe((found[i - 1] as number) + 1);
          if (deeper === 0) expect(found[i]).toBe(found[i - 1]);
        }
        for (const [, level, closing] of html.matchAll(/<h(\d)[^<]*<\/h(\d)>/g)) expect(closing).toBe(level);
      }),
    );
  });
});
