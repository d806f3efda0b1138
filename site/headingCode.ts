/** The parts of a token of markdown-it, which has no types here. */
interface Token {
  type: string;
  content: string;
  children: Token[] | null;
}

/** The parts of a parser of markdown-it. */
export interface MarkdownParser {
  core: {ruler: {push(name: string, rule: (state: ParsedMarkdown) => void): void}};
}

interface ParsedMarkdown {
  tokens: Token[];
  Token: new (type: string, tag: string, nesting: number) => Token;
}

/**
 * Makes code in headings count as text, in the table of contents and in anchors, as on GitHub.
 *
 * TypeDoc leaves it out: "Instead of `fit`" would be "Instead of".
 */
export function headingCode(parser: MarkdownParser): void {
  parser.core.ruler.push('heading-code', ({tokens, Token}) => {
    const token = (type: string, content: string) => Object.assign(new Token(type, '', 0), {content});
    for (const [i, {type}] of tokens.entries()) {
      const inline = tokens[i + 1];
      if (type !== 'heading_open' || !inline?.children) continue;
      inline.children = inline.children.flatMap((child) =>
        child.type === 'code_inline'
          ? [token('html_inline', '<code>'), token('text', child.content), token('html_inline', '</code>')]
          : [child],
      );
    }
  });
}
