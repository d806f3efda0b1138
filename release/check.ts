/** @file `npm run release:check` refuses a release that is not ready, before `npm publish`. */
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {releaseFindings} from './findings';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');

const findings = releaseFindings({
  manifest: JSON.parse(read('package.json')),
  changelog: read('CHANGELOG.md'),
  citation: read('CITATION.cff'),
  status: execFileSync('git', ['status', '--porcelain'], {cwd: root, encoding: 'utf8'}),
});
for (const finding of findings) console.error(finding);
if (findings.length > 0) process.exitCode = 1;
else console.log('release: nothing stands against it.');
