/** @file Lines of prose that have too many columns. */
import {markdownProse, type Passage} from './passages';
import type {SourceText} from './sources';

/** The most columns of a line of prose. */
const COLUMNS = 100;

/** The lines of Markdown that are too long: tables, code and what cannot be broken are exempt. */
export function longLinesOfMarkdown({path, text}: SourceText): string[] {
  return markdownProse(text)
    .split('\n')
    .flatMap((line, at) =>
      [...line.trimEnd()].length > COLUMNS && !/^\s*\|/.test(line) && isBreakable(line) ? [`${path}:${at + 1}`] : [],
    );
}

/** Whether a line would be shorter if it were broken at a blank, outside inline code. */
function isBreakable(line: string): boolean {
  const words = line
    .trim()
    .replace(/`[^`]*`/g, (code) => code.replaceAll(' ', '·'))
    .split(' ');
  const marker = /^(?:[-*>]|\d+\.|\*|\/\/|\/\*\*?)$/;
  return words.filter((word) => !marker.test(word) && word !== '*/').length > 1;
}

/** Blanks the code of examples, from the tag to the next tag or the end. */
const withoutExamples = (comment: string) =>
  comment.replace(/^@example[\s\S]*?(?=^@\w|$(?![\s\S]))/gm, (code) => code.replace(/[^\n]/g, ' '));

/**
 * The lines of comments that are too long. Code in a doc comment, and what cannot be broken, is
 * exempt.
 */
export function longLinesOfComments(source: SourceText, comments: readonly Passage[]): string[] {
  const lines = source.text.split('\n');
  return comments.flatMap(({line: first, text}) =>
    markdownProse(withoutExamples(text.replace(/^[ \t]*\*(?!\/) ?/gm, '')))
      .split('\n')
      .flatMap((prose, at) => {
        const line = lines[first - 1 + at] ?? '';
        const isOwnLine = at > 0 || /^\s*\/[/*]/.test(line);
        const isProse = prose.trim() !== '' && !prose.includes('biome-ignore');
        const isLong = isOwnLine && isProse && [...line].length > COLUMNS;
        return isLong && isBreakable(line) ? [`${source.path}:${first + at}`] : [];
      }),
  );
}
