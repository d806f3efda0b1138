/**
 * Removes the permalinks from headings that fold a section. A link within a `<summary>` cannot be
 * reached by all assistive technology. The anchors stay.
 */
export const plainSummaries = (html: string): string =>
  html.replace(/<summary[\s>][\s\S]*?<\/summary>/g, (summary) =>
    summary.replace(/<a [^>]*class="tsd-anchor-icon"[^>]*>[\s\S]*?<\/a>/g, ''),
  );
