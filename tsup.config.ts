import {defineConfig} from 'tsup';
import {writeEntryFolders} from './entryFolders';

/** Imported by the script in place of tfjs: checks that the page has loaded it. */
const NEEDS_TF = `
if (!globalThis.tf) throw new Error('ohem: tf must be loaded first, got no global tf. Put the script of TensorFlow.js before this one, both with defer or both without, and none with async.');
const [major, minor] = globalThis.tf.version_core.split('.').map(Number);
if (major < 4 || (major === 4 && minor < 3)) console.warn('ohem: tf must be of version 4.3 or later, got ' + globalThis.tf.version_core + '. Kernels that are missing there fail later.');
module.exports = globalThis.tf;`;

const tfjs = /^@tensorflow\/tfjs-(core|layers)$/;

export default defineConfig([
  {
    entry: {
      index: 'src/index.ts',
      losses: 'src/losses/index.ts',
      schedules: 'src/schedules/index.ts',
      selectors: 'src/selectors/index.ts',
      trainers: 'src/trainers/index.ts',
      insight: 'src/insight/index.ts',
      pairs: 'src/pairs/index.ts',
      samplers: 'src/samplers/index.ts',
      wasm: 'src/backends/wasm/index.ts',
      node: 'src/node/index.ts',
    },
    format: ['esm', 'cjs'],
    target: 'es2022',
    splitting: true,
    sourcemap: true,
    clean: true,
    onSuccess: () => writeEntryFolders(import.meta.dirname),
    // tsup sets a baseUrl, which TypeScript 6 calls deprecated.
    dts: {compilerOptions: {ignoreDeprecations: '6.0'}},
  },
  {
    entry: {ohem: 'src/global.ts'},
    format: ['iife'],
    globalName: 'ohem',
    outExtension: () => ({js: '.global.js'}),
    target: 'es2020',
    // A module has no global variables, so a script that is loaded as one would define nothing.
    footer: {js: 'globalThis.ohem = ohem;'},
    minify: true,
    sourcemap: true,
    // A script uses the page's tf: without this, tsup would bundle a second tfjs, with an engine of
    // its own.
    noExternal: [tfjs],
    esbuildPlugins: [
      {
        name: 'tf-of-the-page',
        setup(build) {
          build.onResolve({filter: tfjs}, ({path}) => ({path, namespace: 'tf-of-the-page'}));
          build.onLoad({filter: /.*/, namespace: 'tf-of-the-page'}, () => ({
            contents: NEEDS_TF,
          }));
        },
      },
    ],
  },
]);
