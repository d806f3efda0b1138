import {join} from 'node:path';
import {buildDocumentation} from './documentation';
import {brokenLinks, type LinkFinding} from './links';
import {buildLive} from './live';

/**
 * Builds the site into a folder: guides, API reference, results, and the live page in `live/`.
 *
 * @param root  the folder of the repository.
 * @param out   the folder of the site; its content is replaced.
 * @throws Error that lists every broken link, with its page.
 */
export async function buildSite(root: string, out: string): Promise<void> {
  await buildDocumentation(root, out);
  await buildLive(root, join(out, 'live'));
  const findings = brokenLinks(out);
  if (findings.length > 0) throw new Error(reportOf(findings));
}

export const reportOf = (findings: readonly LinkFinding[]): string =>
  [
    `site: every link must resolve within the site, got ${findings.length} that do not:`,
    ...findings.map(({page, link, reason}) => `  ${page}: ${link} ${reason}`),
  ].join('\n');
