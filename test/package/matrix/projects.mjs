import {execFile} from 'node:child_process';
import {cpSync, mkdirSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {promisify} from 'node:util';

const execute = promisify(execFile);
const programs = resolve(import.meta.dirname, '../programs');

const TFJS = ['core', 'layers', 'backend-cpu', 'backend-wasm'];

/** Creates a folder with the tarball, tfjs and the programs. Unmet peer ranges are errors. */
export async function tfjsProject(parent, tarball, version, more = []) {
  const folder = await project(parent, `tfjs-${version}`, {type: 'commonjs'});
  const packages = TFJS.map((name) => `@tensorflow/tfjs-${name}@${version}`);
  await install(folder, [tarball, ...packages, ...more], ['--strict-peer-deps']);
  cpSync(programs, folder, {recursive: true});
  return folder;
}

/** Creates a folder with tools alone: a version of Node, Deno, Bun or a compiler. */
export async function toolProject(parent, name, packages) {
  const folder = await project(parent, name, {});
  await install(folder, packages);
  return folder;
}

async function project(parent, name, fields) {
  const folder = join(parent, name);
  mkdirSync(folder, {recursive: true});
  writeFileSync(join(folder, 'package.json'), JSON.stringify({name: 'matrix', private: true, ...fields}));
  return folder;
}

async function install(cwd, packages, options = []) {
  try {
    await execute('npm', ['install', '--no-audit', '--no-fund', ...options, ...packages], {cwd, timeout: 10 * 60_000});
  } catch (error) {
    const lines = `${error.stderr ?? ''}`.split('\n').filter((line) => /npm (error|ERR!)/.test(line));
    throw new Error(`npm install ${packages.slice(-1)}: ${lines[0] ?? error.message}`, {cause: error});
  }
}

/** Finds the newest version within a range, or undefined if the registry has none. */
export async function newest(name, range) {
  const {stdout} = await execute('npm', ['view', `${name}@${range}`, 'version', '--json']);
  const versions = stdout.trim() === '' ? [] : [JSON.parse(stdout)].flat();
  return versions.sort((a, b) => a.localeCompare(b, 'en', {numeric: true})).at(-1);
}
