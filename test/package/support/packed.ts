/** @file The packed library, and projects outside of the repository that install it. */
import {execFileSync} from 'node:child_process';
import {cpSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {ROOT} from '../../support/sources';

/**
 * Packs the library into a folder.
 *
 * @return The path of the tarball.
 * @throws Error if the library is not built.
 */
export function pack(folder: string): string {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {cwd: ROOT, encoding: 'utf8'}),
  ) as {filename: string; files: {path: string}[]}[];
  if (!packed?.files.some(({path}) => path === 'dist/index.js')) {
    throw new Error('pack: the tarball must have dist/index.js, got none. Run npm run build first.');
  }
  return join(folder, packed.filename);
}

/** Calls a function with a new folder, and removes the folder afterwards. */
export async function inFolder(name: string, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), `ohem-${name}-`));
  try {
    await use(folder);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

/** Copies the tracked files of a folder of the repository: no builds, no installed packages. */
export function copyTracked(from: string, to: string): void {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '.'], {cwd: from, encoding: 'utf8'});
  for (const file of files.trim().split('\n')) cpSync(join(from, file), join(to, file));
}

/** Installs packages, and the dependencies of a project: the library from its tarball. */
export function install(project: string, packages: readonly string[], tarball: string): void {
  const named = packages.map((name) => (name === 'ohem-tfjs' ? tarball : name));
  run(project, 'npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...named]);
}

/** Runs a command, and returns its output. @throws Error with the output if the command fails. */
export function run(project: string, command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, {cwd: project, encoding: 'utf8', stdio: 'pipe'});
  } catch (error) {
    const {stdout = '', stderr = ''} = error as {stdout?: string; stderr?: string};
    // Errors in minified code print lines of megabytes before what is wrong.
    const lines = `${stdout}${stderr}`.split('\n').map((line) => line.slice(0, 300));
    throw new Error(`${command} ${args.join(' ')} failed in ${project}:\n${lines.slice(-60).join('\n')}`);
  }
}
