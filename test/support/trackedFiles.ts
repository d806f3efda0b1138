/** @file The files of the repository. */
import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {ROOT, readSource, type SourceText} from './sources';

/** The files that git tracks, as far as they are there. */
export function trackedFiles(...patterns: string[]): SourceText[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--', ...patterns], {cwd: ROOT, encoding: 'utf8'});
  return listed
    .split('\0')
    .filter((path) => path !== '' && existsSync(`${ROOT}${path}`))
    .map(readSource);
}
