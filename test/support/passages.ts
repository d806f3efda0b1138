/** @file The comments and strings of programs, and the prose of Markdown. */
import ts from 'typescript';
import type {SourceText} from './sources';

/** A piece of prose with the line on which it begins. */
export interface Passage {
  line: number;
  text: string;
}

/** The comments of a program, and its strings without those that name a module. */
export interface Passages {
  comments: Passage[];
  strings: Passage[];
}

export function passagesOf({path, text}: SourceText): Passages {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const lineAt = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1;
  const tokens = tokensOf(source);
  const ranges = tokens.flatMap((token) => [
    ...(ts.getLeadingCommentRanges(text, token.pos) ?? []),
    ...(ts.getTrailingCommentRanges(text, token.end) ?? []),
  ]);
  const comments = new Map(ranges.map(({pos, end}) => [pos, {line: lineAt(pos), text: text.slice(pos, end)}]));
  const strings = tokens
    .filter((token) => ts.isStringLiteralLike(token) || ts.isTemplateLiteralToken(token))
    .filter(({parent}) => !ts.isImportDeclaration(parent) && !ts.isExportDeclaration(parent))
    .map((token) => ({line: lineAt(token.getStart()), text: (token as ts.StringLiteralLike).text}));
  return {comments: [...comments.values()], strings};
}

function tokensOf(node: ts.Node): ts.Node[] {
  const children = node
    .getChildren()
    .filter(({kind}) => kind < ts.SyntaxKind.FirstJSDocNode || kind > ts.SyntaxKind.LastJSDocNode);
  return children.length === 0 ? [node] : children.flatMap(tokensOf);
}

/**
 * Blanks what is code or markup in Markdown: fenced and indented code, comments, tags. Lines stay
 * in their places.
 */
export function markdownProse(text: string): string {
  const blank = (found: string) => found.replace(/[^\n]/g, ' ');
  return text
    .replace(/^ *(```|~~~)[\s\S]*?^ *\1 *$/gm, blank)
    .replace(/<!--[\s\S]*?-->/g, blank)
    .replace(/<\/?[a-z][^>]*>/g, blank)
    .replace(/^(?<=^|\n\n)(?: {4}.*\n?)+/gm, blank);
}
