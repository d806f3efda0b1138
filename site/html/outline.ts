/**
 * Renumbers the headings of a page so that none skips a level: h1, h4, h5 become h1, h2, h3.
 *
 * TypeDoc chooses levels by their size. The attribute `data-size` keeps the size for the style
 * sheet, and the levels are the outline that a screen reader lists.
 */
export function outlined(html: string): string {
  const open: number[] = [];
  return html.replace(/<(\/?)h([1-6])(?=[\s>])/g, (_, slash: string, digit: string) => {
    if (slash) return `</h${open.length}`;
    const size = Number(digit);
    while (open.length > 0 && (open.at(-1) as number) >= size) open.pop();
    open.push(size);
    return `<h${open.length} data-size="${size}"`;
  });
}
