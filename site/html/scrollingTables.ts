/** Characters up to which a cell does not wrap: a number with its interval, a name. */
const SHORT = 22;

/**
 * Puts each table into a box that scrolls, so that a wide one does not widen the page, and marks
 * the cells that must not wrap.
 */
export function scrollingTables(html: string): string {
  return html
    .replace(/<table>/g, '<div class="scroll"><table>')
    .replace(/<\/table>/g, '</table></div>')
    .replace(/<td>(.*?)<\/td>/g, (cell, content: string) =>
      textOf(content).length <= SHORT ? `<td class="short">${content}</td>` : cell,
    );
}

/** An entity such as `&lt;` is one character. */
const textOf = (html: string): string => html.replace(/<[^>]*>/g, '').replace(/&\w+;/g, '-');
