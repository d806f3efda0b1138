// Installs the tarball with other versions of tfjs, TypeScript and Node, and in Deno and Bun, and
// trains there. It needs a build.
//   npm run matrix               the whole matrix, written to docs/compatibility.md
//   npm run matrix -- --sample   oldest and newest tfjs, one TypeScript, this Node; writes nothing
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {cell, notTried} from './matrix/cell.mjs';
import {newest, tfjsProject, toolProject} from './matrix/projects.mjs';
import {table} from './matrix/table.mjs';
import {compiled, RESOLUTIONS} from './matrix/typeScript.mjs';
import {packed, root} from './packed.mjs';

const isSample = process.argv.includes('--sample');
const {version, peerDependencies} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const range = peerDependencies['@tensorflow/tfjs-core'];
const folder = mkdtempSync(join(tmpdir(), 'ohem-matrix-'));

try {
  const {tarball} = packed(folder);
  const latest = await newest('@tensorflow/tfjs-core', range);
  const {rows: ofTfjs, projects} = await tryTfjs(tarball, [
    range.replace('^', ''),
    ...(isSample ? [] : ['4.10.0', '4.16.0']),
    latest,
  ]);
  const project = projects.get(latest);
  const parts = [table('TensorFlow.js', 'version', ['cpu', 'wasm', 'CommonJS'], ofTfjs)];
  const ofTypes = await tryTypeScript(project, isSample ? ['5.9'] : ['5.4', '5.9', '6.0', 'latest']);
  parts.push(table('TypeScript', 'version', Object.keys(RESOLUTIONS), ofTypes));
  const ofRuntimes = isSample ? [] : await tryRuntimes(project);
  if (!isSample) parts.push(table('Runtimes', 'runtime', ['cpu', 'wasm', 'wasm, 2 threads', 'CommonJS'], ofRuntimes));
  if (!isSample) writeFileSync(join(root, 'docs/compatibility.md'), document(parts));
  const failed = [...ofTfjs, ...ofTypes, ...ofRuntimes].flatMap(({cells}) => cells).filter(isFailed);
  console.log(`${failed.length} cells failed`);
  if (failed.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, {recursive: true, force: true});
}

function isFailed({result}) {
  return result === 'failed' || (isSample && result === 'not tried');
}

async function tryTfjs(tarball, versions) {
  const projects = new Map();
  const rows = [];
  for (const name of versions) {
    rows.push(
      await row(name, 3, async () => {
        const project = await tfjsProject(folder, tarball, name);
        projects.set(name, project);
        return [
          await cell(process.execPath, ['train.mjs', 'cpu'], {cwd: project}),
          await cell(process.execPath, ['train.mjs', 'wasm'], {cwd: project}),
          await cell(process.execPath, ['use.cjs'], {cwd: project}),
        ];
      }),
    );
  }
  return {rows, projects};
}

async function tryTypeScript(project, versions) {
  const rows = [];
  for (const range of versions) {
    const name = await newest('typescript', range === 'latest' ? range : `~${range}.0`);
    rows.push(
      await row(name, 3, async () => {
        const tools = await toolProject(folder, `typescript-${name}`, [`typescript@${name}`]);
        const tsc = join(tools, 'node_modules/typescript/bin/tsc');
        const cells = [];
        for (const resolution of Object.keys(RESOLUTIONS)) cells.push(await compiled(project, tsc, name, resolution));
        return cells;
      }),
    );
  }
  return rows;
}

async function tryRuntimes(project) {
  const rows = await tryNodes(project);
  rows.push(await tryTool('deno', 'Deno', ['run', '--allow-all', '--node-modules-dir=manual'], project));
  rows.push(await tryTool('bun', 'Bun', ['run'], project));
  return rows;
}

/** npm has Node as a package for each platform. */
async function tryNodes(project) {
  const rows = [];
  for (const major of [20, 22, 24]) {
    rows.push(
      await row(`Node ${major}`, 4, async (named) => {
        const name = `node-${process.platform}-${process.arch}`;
        const version = await newest(name, `^${major}.0.0`);
        const tools = await toolProject(folder, `node-${major}`, [`${name}@${version}`]);
        named(`Node ${version}`);
        return runtimeCells(join(tools, 'node_modules', name, 'bin/node'), [], project);
      }),
    );
  }
  return rows;
}

/** Deno and Bun have their programs on npm too. */
function tryTool(name, title, args, project) {
  return row(title, 4, async (named) => {
    const version = await newest(name, 'latest');
    const tools = await toolProject(folder, name, [`${name}@${version}`]);
    named(`${title} ${version}`);
    return runtimeCells(join(tools, 'node_modules/.bin', name), args, project);
  });
}

async function runtimeCells(file, args, cwd) {
  const cells = [];
  for (const program of ['train.mjs cpu', 'train.mjs wasm', 'train.mjs wasm 2', 'use.cjs']) {
    cells.push(await cell(file, [...args, ...program.split(' ')], {cwd}));
  }
  return cells;
}

/** Fills and prints a row of the table. A version that cannot be installed is "not tried". */
async function row(name, count, fill) {
  let title = name;
  const cells = await fill((found) => {
    title = found;
  }).catch((error) => Array.from({length: count}, () => notTried(error)));
  for (const {result, said} of cells) console.log(`${title}: ${result}, ${said}`);
  return {name: title, cells};
}

function document(parts) {
  const date = new Date().toISOString().slice(0, 10);
  return `---
title: Compatibility
---

# Compatibility

Written by \`npm run matrix\` on ${date}, for version ${version} as \`npm pack\` packs it.
Each version is installed in a fresh folder, on ${process.platform} ${process.arch}. Node is ${process.versions.node}
unless another one is named. A program that imports the library trains a small convolutional network
on the hardest rows of its batches, by \`ohemStep\` and \`fitOhem\`, until its loss has fallen. One that
requires it (CommonJS) takes a step. With TypeScript, a program that imports all entries compiles
under \`strict\`, and its three deliberate errors are reported. The peer range is \`${range}\`.

"not tried": this version could not be installed. "not offered": this version has no such setting.
CI tests a sample with each change: the oldest and the newest tfjs, one TypeScript, one Node.

In a page, \`npm run examples\` trains in Chromium with tfjs 4.22.0, from the package: by script tags,
by an import map, on cpu and wasm, and in builds of Vite with a worker and with React. Other
browsers are not tried.

${parts.join('\n')}`;
}
