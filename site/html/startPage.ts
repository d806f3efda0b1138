/** Addresses to which the start page leads. */
export interface StartLinks {
  readonly live: string;
  readonly guide: string;
  readonly api: string;
}

/**
 * Puts the ways into the site below the first paragraph of the README.
 *
 * @throws Error if the README has no paragraph.
 */
export function withWaysIn(html: string, {live, guide, api}: StartLinks): string {
  const end = html.indexOf('</p>');
  if (end < 0) throw new Error('site: README.md must begin with a paragraph, got none.');
  const ways =
    `<p class="ways"><a class="way main" href="${live}">Watch it train, live</a>` +
    `<a class="way" href="${guide}">Get started</a><a class="way" href="${api}">API</a></p>`;
  const after = end + '</p>'.length;
  return html.slice(0, after) + ways + html.slice(after);
}
