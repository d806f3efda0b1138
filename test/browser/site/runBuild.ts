import {execFileSync} from 'node:child_process';
import {ROOT} from '../../support/sources';

/** Builds the site once for all its tests, by the command that builds it for the public. */
export default function runBuild(): void {
  execFileSync('npm', ['run', '--silent', 'site'], {cwd: ROOT, stdio: 'inherit'});
}
