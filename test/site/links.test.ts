import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {reportOf} from '../../site/buildSite';
import {brokenLinks} from '../../site/links';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'site-links-'));
});
afterEach(() => rmSync(folder, {recursive: true}));

function write(files: Record<string, string>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), {recursive: true});
    writeFileSync(join(folder, file), text);
  }
}

/** The reasons against the links of one page, beside a sound page and an image. */
function reasonsOf(html: string): string[] {
  write({'a/page.html': html, 'other.html': '<h2 id="part-one">x</h2>', 'a/b.svg': '<svg/>'});
  return brokenLinks(folder).map(({link, reason}) => `${link} ${reason}`);
}

describe('brokenLinks', () => {
  it.each([
    '<a href="../other.html#part-one">x</a>',
    '<a href="../other.html?runs=1#part-one">x</a>',
    '<a href="page.html">x</a><a href="">x</a><a href="#">x</a>',
    '<p id="übung"><a href="#%C3%BCbung">x</a></p>',
    '<img src="b.svg"><source srcset="b.svg 1x, ../a/b.svg 2x">',
    '<a href="https://example.test/x">x</a><a href="mailto:a@b.test">x</a><link rel="icon" href="data:,">',
    '<!-- <a href="none.html"> --><script>const a = \'<a href="none.html">\';</script>',
  ])('finds nothing against %s', (html) => {
    expect(reasonsOf(html)).toEqual([]);
  });

  it.each([
    ['<a href="none.html">x</a>', 'href="none.html" leads to no file (a/none.html)'],
    ['<a href="../../other.html">x</a>', 'href="../../other.html" leads to no file (../other.html)'],
    ['<a href="../">x</a>', 'href="../" leads to no file (./)'],
    ['<img src="c.svg">', 'src="c.svg" leads to no file (a/c.svg)'],
    ['<source srcset="b.svg 1x, c.svg 2x">', 'srcset="c.svg" leads to no file (a/c.svg)'],
    ['<a href="#two">x</a>', 'href="#two" leads to no element with the id "two" in a/page.html'],
    [
      '<a href="../other.html#two">x</a>',
      'href="../other.html#two" leads to no element with the id "two" in other.html',
    ],
    ['<a href="/other.html">x</a>', 'href="/other.html" is absolute, and fails below a sub-path'],
    ['<script src="https://cdn.test/x.js"></script>', 'src="https://cdn.test/x.js" is loaded from another host'],
    ['<link rel="stylesheet" href="//cdn.test/x.css">', 'href="//cdn.test/x.css" is loaded from another host'],
    ['<img src="http://cdn.test/x.svg">', 'src="http://cdn.test/x.svg" is loaded from another host'],
  ])('finds %s', (html, finding) => {
    expect(reasonsOf(html)).toEqual([finding]);
  });

  it('is reported with every page and link', () => {
    write({'a/page.html': '<a href="b.html">x</a><a href="#c">x</a>', 'd.html': '<img src="e.svg">'});
    expect(reportOf(brokenLinks(folder))).toBe(
      [
        'site: every link must resolve within the site, got 3 that do not:',
        '  a/page.html: href="b.html" leads to no file (a/b.html)',
        '  a/page.html: href="#c" leads to no element with the id "c" in a/page.html',
        '  d.html: src="e.svg" leads to no file (e.svg)',
      ].join('\n'),
    );
  });
});
