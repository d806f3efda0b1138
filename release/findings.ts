/** The facts that decide whether a release is ready. */
export interface ReleaseFacts {
  /** The package.json. */
  manifest: {
    name: string;
    version: string;
    repository?: string | {url?: string};
    publishConfig?: {access?: string; provenance?: boolean};
    scripts?: Record<string, string>;
  };
  /** The text of CHANGELOG.md. */
  changelog: string;
  /** The text of CITATION.cff. */
  citation: string;
  /** What `git status --porcelain` prints. */
  status: string;
}

/**
 * Lists the reasons against a release, each with a remedy. The list is empty if it is ready.
 *
 * npmjs.com resolves the relative links of the README by `repository`, and checks provenance by it.
 */
export function releaseFindings({manifest, changelog, citation, status}: ReleaseFacts): string[] {
  const {version, repository, publishConfig} = manifest;
  const address = typeof repository === 'string' ? repository : repository?.url;
  const findings = [
    ...changelogFindings(changelog, version),
    !address &&
      'release: package.json must have a repository, got none. Add the public address, by which npm resolves the links of the README.',
    publishConfig?.provenance !== true &&
      `release: publishConfig.provenance must be true, got ${publishConfig?.provenance}. Set it in package.json, and publish from CI.`,
    publishConfig?.access !== 'public' &&
      `release: publishConfig.access must be "public", got ${JSON.stringify(publishConfig?.access)}. Set it in package.json.`,
    manifest.scripts?.prepublishOnly?.includes('release:check') !== true &&
      'release: scripts.prepublishOnly must run release:check, so that npm publish stops. Set it in package.json.',
    !new RegExp(`^version: ["']?${escaped(version)}["']?$`, 'm').test(citation) &&
      `release: CITATION.cff must have version: ${version}, as package.json. Write it there.`,
    status.trim() !== '' &&
      `release: the tree must be clean, got ${status.trim().split('\n').length} changed files (${firstOf(status)}). Commit or remove them.`,
  ];
  return findings.filter((finding) => finding !== false);
}

function changelogFindings(changelog: string, version: string): string[] {
  const heading = new RegExp(`^## \\[?${escaped(version)}\\]?(.*)$`, 'm').exec(changelog);
  const due = `a section "## ${version} - YYYY-MM-DD"`;
  if (!heading) {
    return [`release: CHANGELOG.md must have ${due}, got none of this version. Make it of what is unreleased.`];
  }
  const date = /^ - (\d{4}-\d{2}-\d{2})$/.exec(heading[1] as string)?.[1];
  if (date === undefined || Number.isNaN(Date.parse(date))) {
    return [`release: CHANGELOG.md must have ${due}, got "${heading[0]}". Write the date of the release.`];
  }
  const body = changelog.slice(heading.index + heading[0].length).split(/^## /m)[0] as string;
  return body.trim() === '' ? [`release: CHANGELOG.md must say what ${version} brings, got an empty section.`] : [];
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const firstOf = (status: string) => (status.trim().split('\n')[0] as string).trim();
