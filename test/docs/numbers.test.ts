/** @file No measured number stands in the README or the documents without results that have it. */
import {describe, expect, it} from 'vitest';
import {CHOSEN, CLAIMS} from '../support/claims';
import {expectMarkedTable} from '../support/markedTable';
import {markedTables} from '../support/markedTables';
import {guideTables} from '../support/resultTables';
import {readSource, type SourceText, sourcesIn} from '../support/sources';

const documents = [readSource('README.md'), ...sourcesIn('docs', '.md')];

/**
 * `12.3 %`, `40 ms`, `17 times`, `2×`, `four to five times`: a number with the unit of something
 * measured.
 */
const MEASURED =
  /(?<![\w.])\d[\d.,]*(?: (?:to|±|and) \d[\d.,]*)*\s?(?:%|(?:ms|µs|s|seconds|kB|MB|GB|MiB|points|times)\b|×(?! ?\d))|\b(?:two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty|hundred|thousand)(?: to \w+)? times\b/g;

/** Replaces a text by blanks, so that places stay the same. */
const blank = (text: string, part: RegExp | string) => text.replaceAll(part, (found) => found.replace(/[^\n]/g, ' '));

/** Words on one line, for claims that a document may wrap anywhere. */
const onOneLine = (text: string) => text.replace(/\s+/g, ' ');

/** Matches the words of a claim, wherever the document wraps its lines. */
const wrapped = (says: string) => new RegExp(says.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(' ', '\\s+'), 'g');

/**
 * What a test of its own holds against results, and what is code (the examples are run) or the
 * target of a link.
 */
function withoutCheckedParts({path, text}: SourceText): string {
  const tables = [
    ...guideTables().filter(({guide}) => guide === path),
    ...markedTables().filter(({document}) => document === path),
  ];
  const prose = tables.reduce((rest, {table}) => blank(rest, table), text);
  return [/```.*?```/gs, /<!-- peaks: begin -->.*?<!-- peaks: end -->/gs, /\]\([^)]*\)/g, /<[^>]+>/g].reduce(
    blank,
    prose,
  );
}

/** The numbers that no claim and no choice covers, with what stands around them. */
function uncovered(document: SourceText): string[] {
  const claimed = [...CLAIMS, ...CHOSEN]
    .filter((claim) => claim.document === document.path)
    .map(({says}) => wrapped(says));
  const rest = claimed.reduce(blank, withoutCheckedParts(document));
  return [...rest.matchAll(MEASURED)].map(
    ({index, 0: number}) =>
      `${document.path}: … ${document.text.slice(Math.max(0, index - 40), index + number.length + 20)} …`,
  );
}

describe.each(documents)('$path', (document) => {
  it('has no measured number without results', () => {
    expect(uncovered(document), 'add a claim with its results to test/support/claims.ts').toEqual([]);
  });
});

it.each(CLAIMS)('$document says "$says", as $results has it', ({document, says, results, due}) => {
  expect(due(JSON.parse(readSource(`docs/results/${results}`).text) as never)).toBe(says);
  expect(onOneLine(readSource(document).text)).toContain(says);
});

it.each(CHOSEN)('$document says "$says"', ({document, says}) => {
  expect(onOneLine(readSource(document).text)).toContain(says);
});

it.each(markedTables())('$document has the table "$name" of the studies: UPDATE_TABLE=1 writes it', expectMarkedTable);

it('Measured numbers are found', () => {
  const text = 'is 17 times, 3× faster, four to five times, 12.3 ± 0.4 %, 7 ms; 3 steps, 28 × 28, k = 2, `9 %`';
  expect([...text.matchAll(MEASURED)].map(([number]) => number)).toEqual([
    '17 times',
    '3×',
    'four to five times',
    '12.3 ± 0.4 %',
    '7 ms',
    '9 %',
  ]);
});
