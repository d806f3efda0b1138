import {describe, expect, it} from 'vitest';
import manifest from '../../package.json' with {type: 'json'};
import {type ReleaseFacts, releaseFindings} from '../../release/findings';
import {readSource} from '../support/sources';

const READY: ReleaseFacts = {
  manifest: {
    name: 'ohem-tfjs',
    version: '1.0.0-rc.0',
    repository: {url: 'git+https://example.test/ohem-tfjs.git'},
    publishConfig: {access: 'public', provenance: true},
    scripts: {prepublishOnly: 'npm run release:check'},
  },
  changelog: '# Changelog\n\n## Unreleased\n\n## 1.0.0-rc.0 - 2026-12-01\n\n- All of it.\n\n## 0.1.0 - 2026-01-01\n',
  citation: 'cff-version: 1.2.0\nversion: 1.0.0-rc.0\n',
  status: '',
};

const found = (facts: Partial<ReleaseFacts>, fields: Partial<ReleaseFacts['manifest']> = {}) =>
  releaseFindings({...READY, ...facts, manifest: {...READY.manifest, ...fields}});

describe('releaseFindings', () => {
  it('finds nothing against a release that is ready', () => {
    expect(found({})).toEqual([]);
    expect(found({}, {repository: 'github:example/ohem-tfjs'})).toEqual([]);
  });

  it.each([undefined, {}, {url: ''}])('asks for a repository (%j)', (repository) => {
    const {repository: _, ...fields} = READY.manifest;
    const findings = releaseFindings({...READY, manifest: repository ? {...fields, repository} : fields});
    expect(findings).toEqual([
      'release: package.json must have a repository, got none. ' +
        'Add the public address, by which npm resolves the links of the README.',
    ]);
  });

  it('asks for a section of the version', () => {
    expect(found({changelog: '## Unreleased\n\n## 1.0.0 - 2026-01-01\n\n- It.\n'})).toEqual([
      'release: CHANGELOG.md must have a section "## 1.0.0-rc.0 - YYYY-MM-DD", got none of this version. ' +
        'Make it of what is unreleased.',
    ]);
  });

  it.each(['', ' - soon', ' - 2026-13-01', ' (unreleased)'])('asks for its date ("%s")', (date) => {
    expect(found({changelog: `## 1.0.0-rc.0${date}\n\n- It.\n`})).toEqual([
      `release: CHANGELOG.md must have a section "## 1.0.0-rc.0 - YYYY-MM-DD", got "## 1.0.0-rc.0${date}". ` +
        'Write the date of the release.',
    ]);
  });

  it('asks for a section that says something', () => {
    expect(found({changelog: '## 1.0.0-rc.0 - 2026-12-01\n\n## 0.1.0 - 2026-01-01\n\n- Old.\n'})).toEqual([
      'release: CHANGELOG.md must say what 1.0.0-rc.0 brings, got an empty section.',
    ]);
  });

  it('asks for a clean tree', () => {
    expect(found({status: ' M README.md\n?? notes.txt\n'})).toEqual([
      'release: the tree must be clean, got 2 changed files (M README.md). Commit or remove them.',
    ]);
  });

  it('asks for provenance, public access, and a script that runs the check', () => {
    expect(found({}, {publishConfig: {}, scripts: {}})).toEqual([
      'release: publishConfig.provenance must be true, got undefined. Set it in package.json, and publish from CI.',
      'release: publishConfig.access must be "public", got undefined. Set it in package.json.',
      'release: scripts.prepublishOnly must run release:check, so that npm publish stops. Set it in package.json.',
    ]);
  });

  it('asks for the version in the citation', () => {
    expect(found({citation: 'version: 1.0.0-rc.01\n'})).toEqual([
      'release: CITATION.cff must have version: 1.0.0-rc.0, as package.json. Write it there.',
    ]);
  });

  it('finds nothing against the settings of this package but what only its owner can say', () => {
    const findings = releaseFindings({
      manifest,
      changelog: readSource('CHANGELOG.md').text,
      citation: readSource('CITATION.cff').text,
      status: '',
    });
    for (const finding of findings) expect(finding).toMatch(/a repository|CHANGELOG\.md/);
  });
});
