/** @file What the documents point to is there. */
import {existsSync} from 'node:fs';
import {posix} from 'node:path';
import {describe, expect, it} from 'vitest';
import {ROOT, readSource, sourcesIn} from '../support/sources';

const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'examples/mnist/README.md'].map(readSource),
  ...sourcesIn('docs', '.md'),
];

/** How GitHub names a heading: in lower case, without marks, words joined. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

const anchorsIn = (path: string) =>
  [...readSource(path).text.matchAll(/^#+ (.+)$/gm)].map(([, title]) => anchorOf(title as string));

/**
 * The links of a document to others of the repository, and the tests that it names, as a path and
 * an anchor.
 */
function targetsIn({path, text}: {path: string; text: string}): {path: string; anchor: string}[] {
  const links = [...text.matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(([, file, anchor = '']) => ({
    path: file ? posix.join(posix.dirname(path), file) : path,
    anchor,
  }));
  const tests = [...text.matchAll(/`(test\/[\w./]+\.ts)`/g)].map(([, file]) => ({path: file as string, anchor: ''}));
  return [...links, ...tests];
}

describe.each(documents)('$path', (document) => {
  it('points to files and headings that are there', () => {
    const missing = targetsIn(document).filter(
      ({path, anchor}) => !existsSync(`${ROOT}${path}`) || (anchor !== '' && !anchorsIn(path).includes(anchor)),
    );
    expect(missing).toEqual([]);
  });
});

it('The links are found', () => {
  const text = '[a](b.md#c-d) [e](https://f.g) ![h](i/j.svg) [k](#l) `test/m.test.ts`';
  expect(targetsIn({path: 'docs/n.md', text})).toEqual([
    {path: 'docs/b.md', anchor: 'c-d'},
    {path: 'docs/i/j.svg', anchor: ''},
    {path: 'docs/n.md', anchor: 'l'},
    {path: 'test/m.test.ts', anchor: ''},
  ]);
});
