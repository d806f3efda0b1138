// Packs the library and uses it as its users do: as ES modules, as CommonJS, and as a script on a
// page's `tf`.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {basename, join, posix, relative} from 'node:path';
import vm from 'node:vm';
import {packed, root} from './packed.mjs';

const DUE =
  /^(dist\/|docs\/[\w-]+\.md$|docs\/results\/|\w+\/package\.json$|(package\.json|LICENSE|llms\.txt|(README|CHANGELOG|CONTRIBUTING|SECURITY)\.md)$)/;
/** Bytes of a figure that users download with the package; docs/results.md has this number. */
const MOST_OF_A_FIGURE = 150_000;
const project = mkdtempSync(join(tmpdir(), 'ohem-tarball-'));
const modules = join(project, 'node_modules');

try {
  const {tarball, paths} = packed(project);
  const stray = paths.filter((path) => !DUE.test(path));
  assert.deepEqual(stray, [], 'files in the tarball that users do not need');
  checkLinks(paths);
  execFileSync('tar', ['-xzf', tarball], {cwd: project});
  mkdirSync(modules);
  cpSync(join(project, 'package'), join(modules, 'ohem-tfjs'), {recursive: true});
  symlinkSync(join(root, 'node_modules/@tensorflow'), join(modules, '@tensorflow'));

  checkEntryFolders();
  run('as ES modules', 'use.mjs', `${importAll('esm')}\n${STEP()}`);
  run('as CommonJS', 'use.cjs', `${importAll('cjs')}\n(async () => {${STEP()}})();`);
  await runAsScript();
  console.log(`${basename(tarball)}: works as ES modules, as CommonJS and as a script.`);
} finally {
  rmSync(project, {recursive: true, force: true});
}

/**
 * The tarball has every file that its documents link to, except figures over `MOST_OF_A_FIGURE`,
 * and no results that no document links to.
 */
function checkLinks(paths) {
  const links = paths.filter((path) => path.endsWith('.md')).flatMap(linksOf);
  const isLarge = (path) => path.endsWith('.svg') && statSync(join(root, path)).size > MOST_OF_A_FIGURE;
  const missing = links.filter(({path}) => !paths.includes(path) && !isLarge(path));
  assert.deepEqual(missing, [], 'links to files that are not in the tarball');
  const results = paths.filter((path) => path.startsWith('docs/results/'));
  const unlinked = results.filter((result) => !links.some(({path}) => path === result));
  assert.deepEqual(unlinked, [], 'results in the tarball that no document links to');
  assert.deepEqual(results.filter(isLarge), [], 'large figures in the tarball');
  console.log(`ok ${links.length} links`);
}

/** The files that a document links to or shows, outside of its code. */
function linksOf(document) {
  const text = readFileSync(join(root, document), 'utf8').replaceAll(/^```.*?^```|`[^`\n]*`/gms, '');
  const links = text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)|(?:src|srcset)="(?!\w+:)([^"]+)"/g);
  return [...links].map(([, link, source]) => ({document, path: posix.join(posix.dirname(document), link ?? source)}));
}

/**
 * Parcel and other resolvers without `exports` find each entry by the package.json in a folder of
 * its name.
 */
function checkEntryFolders() {
  const installed = join(modules, 'ohem-tfjs');
  const {exports} = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  const entries = Object.keys(exports).filter((entry) => entry !== '.' && entry !== './package.json');
  assert.ok(entries.length >= 9);
  const require = createRequire(join(project, 'use.cjs'));
  for (const entry of entries) {
    const folder = join(installed, entry);
    const {main, module, types} = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const {import: esm, require: cjs} = exports[entry];
    const inPackage = (path) => `./${relative(installed, join(folder, path))}`;
    assert.deepEqual([main, module, types].map(inPackage), [cjs.default, esm.default, cjs.types]);
    for (const path of [main, module, types]) assert.ok(existsSync(join(folder, path)), join(folder, path));
    // An absolute path is resolved without `exports`.
    assert.equal(require(folder), require(`ohem-tfjs${entry.slice(1)}`));
  }
  console.log('ok entries without exports');
}

function importAll(format) {
  const names = {
    'ohem-tfjs': '{ohemStep, ohemLoss, topK}',
    'ohem-tfjs/losses': '{categoricalCrossentropy}',
    'ohem-tfjs/schedules': '{constant}',
    'ohem-tfjs/selectors': '{randomK, scheduled}',
    'ohem-tfjs/trainers': format === 'esm' ? '{ohemStep as ohemStepOfPart}' : '{ohemStep: ohemStepOfPart}',
    'ohem-tfjs/insight': '{miningLedger}',
    'ohem-tfjs/pairs': '{tripletLoss}',
    'ohem-tfjs/samplers': '{infoBatch}',
    'ohem-tfjs/wasm': '{enableWasmTraining}',
    'ohem-tfjs/node': '{enableWasmThreads, resumeTraining}',
    '@tensorflow/tfjs-layers': '{layers, sequential}',
    '@tensorflow/tfjs-core': format === 'esm' ? '* as core' : 'core',
  };
  const backends = ['@tensorflow/tfjs-backend-cpu', '@tensorflow/tfjs-backend-wasm'];
  return format === 'esm'
    ? [
        ...backends.map((name) => `import '${name}';`),
        ...Object.entries(names).map(([from, what]) => `import ${what} from '${from}';`),
      ].join('\n')
    : [
        ...backends.map((name) => `require('${name}');`),
        ...Object.entries(names).map(([from, what]) => `const ${what} = require('${from}');`),
      ].join('\n');
}

/** A step on two threads of the wasm backend; the parts must be the very functions of the whole. */
function STEP() {
  return `
    core.enableProdMode();
    if (ohemStep !== ohemStepOfPart) throw new Error('two copies of ohemStep');
    const threads = await enableWasmThreads(2);
    if (threads !== 2) throw new Error(threads + ' of 2 threads');
    await core.setBackend('wasm');
    enableWasmTraining();
    const model = sequential({layers: [layers.dense({units: 2, activation: 'softmax', inputShape: [3]})]});
    const step = ohemStep(model, {loss: categoricalCrossentropy(), select: scheduled(topK, constant(0.5)), optimizer: core.train.sgd(0.1)});
    const report = step(core.ones([4, 3]), core.tensor2d([[1, 0], [0, 1], [1, 0], [0, 1]]));
    const {kept} = await report.read();
    if (kept !== 2) throw new Error('kept ' + kept);
    if (await resumeTraining('none', model, {optimizer: core.train.sgd(0.1)}) !== undefined) throw new Error('resumed from nothing');
    if (typeof randomK({k: 1}) !== 'function' || typeof ohemLoss(categoricalCrossentropy()) !== 'function' || miningLedger.fromJSON(miningLedger(3).toJSON()).size !== 3) throw new Error('missing parts');`;
}

function run(how, file, code) {
  writeFileSync(join(project, file), code);
  execFileSync(process.execPath, [file], {cwd: project, stdio: ['ignore', 'ignore', 'inherit']});
  console.log(`ok ${how}`);
}

/**
 * Loads tfjs and the script one after the other into one global scope that looks like a page's, as
 * \`<script>\` does.
 */
async function runAsScript() {
  const page = vm.createContext({
    console,
    performance,
    setTimeout,
    clearTimeout,
    TextEncoder,
    TextDecoder,
    URL,
    document: {},
  });
  vm.runInContext('globalThis.window = globalThis.self = globalThis;', page);
  const scripts = [
    '@tensorflow/tfjs-core/dist/tf-core.min.js',
    '@tensorflow/tfjs-layers/dist/tf-layers.min.js',
    '@tensorflow/tfjs-backend-cpu/dist/tf-backend-cpu.min.js',
    'ohem-tfjs/dist/ohem.global.js',
  ];
  for (const script of scripts) vm.runInContext(readFileSync(join(modules, script), 'utf8'), page, {filename: script});
  const kept = await vm.runInContext(
    `(async () => {
      await tf.setBackend('cpu');
      const model = tf.sequential({layers: [tf.layers.dense({units: 2, activation: 'softmax', inputShape: [3]})]});
      const step = ohem.ohemStep(model, {loss: ohem.categoricalCrossentropy(), select: ohem.topK({k: 2}), optimizer: tf.train.sgd(0.1)});
      const report = step(tf.ones([4, 3]), tf.tensor2d([[1, 0], [0, 1], [1, 0], [0, 1]]));
      return (await report.read()).kept;
    })()`,
    page,
  );
  assert.equal(kept, 2);
  refuseOtherPages(readFileSync(join(modules, scripts.at(-1)), 'utf8'));
  console.log('ok as a script');
}

/** Runs the script in a page without tfjs, and in one with an old tfjs. */
function refuseOtherPages(script) {
  const load = (globals) => vm.runInContext(script, vm.createContext(globals));
  assert.throws(() => load({}), /ohem: tf must be loaded first, got no global tf\. Put the script of TensorFlow\.js/);
  const said = [];
  const tf = new Proxy({version_core: '4.2.0'}, {get: (of, name) => of[name] ?? (() => {})});
  try {
    load({tf, console: {warn: (text) => said.push(text)}});
  } catch {
    // What an old tfjs lacks is another matter.
  }
  assert.match(said[0], /ohem: tf must be of version 4\.3 or later, got 4\.2\.0\./);
}
