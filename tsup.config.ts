import {defineConfig} from 'tsup';
import {writeEntryFolders} from './entryFolders';

/** What the script has in the place of tfjs; it says so at once if that is not there yet. */
const NEEDS_TF = `
if (!globalThis.tf) throw new Error('ohem: tf must be loaded first, got no global tf. Put the script of TensorFlow.js before this one.');
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
