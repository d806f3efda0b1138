import {expect, it} from 'vitest';
import {headingCode} from '../../site/headingCode';

class Token {
  content = '';
  children: Token[] | null = null;
  constructor(readonly type: string) {}
}

const inline = (...children: [type: string, content: string][]) =>
  Object.assign(new Token('inline'), {
    children: children.map(([type, content]) => Object.assign(new Token(type), {content})),
  });

/** Applies the rule to the tokens of a parsed text. */
function apply(tokens: Token[]): Token[] {
  headingCode({core: {ruler: {push: (_, rule) => rule({tokens, Token})}}});
  return tokens;
}

it('makes code in a heading text between tags, and leaves other code alone', () => {
  const content = () => inline(['text', 'Instead of '], ['code_inline', 'a < b']);
  const [, heading, paragraph] = apply([new Token('heading_open'), content(), content()]);
  expect(heading?.children?.map(({type, content: text}) => [type, text])).toEqual([
    ['text', 'Instead of '],
    ['html_inline', '<code>'],
    ['text', 'a < b'],
    ['html_inline', '</code>'],
  ]);
  expect(paragraph?.children?.map(({type}) => type)).toEqual(['text', 'code_inline']);
});
