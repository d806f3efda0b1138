/** @file The prose of the repository: lines of at most 100 columns, and plain words. */
import {describe, expect, it} from 'vitest';
import {bannedTurnsIn} from '../support/bannedTurns';
import {longLinesOfComments, longLinesOfMarkdown} from '../support/longLines';
import {markdownProse, passagesOf} from '../support/passages';
import {trackedFiles} from '../support/trackedFiles';

const documents = trackedFiles('*.md');
const programs = trackedFiles('*.ts', '*.tsx', '*.mjs');
/** Other texts, of which all is checked. */
const texts = trackedFiles('*.js', '*.html', '*.css', '*.cff', '*.txt', 'docs/results/bench*.json');
const folders = [...new Set(programs.map(({path}) => (path.includes('/') ? (path.split('/')[0] ?? '') : '')))].sort();
const programsIn = (folder: string) =>
  programs.filter(({path}) => (folder === '' ? !path.includes('/') : path.startsWith(`${folder}/`)));

describe('The documents', () => {
  it('are found', () => {
    expect(documents.map(({path}) => path)).toEqual(expect.arrayContaining(['README.md', 'docs/faq.md']));
  });

  it('have no line over 100 columns, except tables, code and what cannot be broken', () => {
    expect(documents.flatMap(longLinesOfMarkdown)).toEqual([]);
  });

  it('have none of the banned turns', () => {
    const found = documents.flatMap(({path, text}) => bannedTurnsIn(path, {line: 1, text: markdownProse(text)}));
    expect(found).toEqual([]);
  });
});

describe('The scripts of pages, their styles, and the notes of the benches', () => {
  it('have none of the banned turns', () => {
    expect(texts.length).toBeGreaterThan(10);
    expect(texts.flatMap(({path, text}) => bannedTurnsIn(path, {line: 1, text}))).toEqual([]);
  });
});

describe.each(folders)('The programs in "%s"', (folder) => {
  const sources = programsIn(folder).map((source) => ({source, ...passagesOf(source)}));

  it('have no line of a comment over 100 columns, except code and what cannot be broken', () => {
    expect(sources.flatMap(({source, comments}) => longLinesOfComments(source, comments))).toEqual([]);
  });

  it('have none of the banned turns, in comments or strings', () => {
    const found = sources.flatMap(({source, comments, strings}) =>
      [...comments, ...strings].flatMap((passage) => bannedTurnsIn(source.path, passage)),
    );
    expect(found).toEqual([]);
  });
});

describe('The check', () => {
  const long = 'word '.repeat(30);

  it('finds long lines of Markdown, and exempts tables, code, comments and links', () => {
    const text = [long, `| ${long} |`, '```ts', long, '```', `<!-- ${long} -->`, `- [a](${'x'.repeat(120)})`].join(
      '\n',
    );
    expect(longLinesOfMarkdown({path: 'a.md', text})).toEqual(['a.md:1']);
  });

  it('finds long lines of comments, and exempts code', () => {
    const text = [
      `// ${long}`,
      `const a = '${long}';`,
      '/**',
      ` * ${long}`,
      ' * @example',
      ` * ${long}`,
      ' * @throws',
      ' */',
    ];
    const source = {path: 'a.ts', text: text.join('\n')};
    expect(longLinesOfComments(source, passagesOf(source).comments)).toEqual(['a.ts:1', 'a.ts:4']);
  });

  it('finds banned turns in comments and strings, also across lines, and not in code', () => {
    // In pieces, since this file is checked too.
    const [goes, told, many] = [
      ['goes', 'on'],
      ['is', 'told'],
      ['so', 'many'],
    ] as const;
    const lines = ['/**', ` * The loop ${goes[0]}`, ` * ${goes[1]}.`, ' */'];
    const text = [...lines, `const goesOn = '${told.join(' ')}';`, `ask(\`${many.join(' ')}\`);`].join('\n');
    const {comments, strings} = passagesOf({path: 'a.ts', text});
    const found = [...comments, ...strings].flatMap((passage) => bannedTurnsIn('a.ts', passage));
    expect(found.map((place) => place.split(' (say')[0])).toEqual([
      `a.ts:2: "${goes.join(' ')}"`,
      `a.ts:5: "${told.join(' ')}"`,
      `a.ts:6: "${many.join(' ')}"`,
    ]);
  });
});
