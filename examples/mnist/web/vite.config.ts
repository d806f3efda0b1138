import {fileURLToPath} from 'node:url';
import {defineConfig, type Plugin} from 'vite';
import {sourceAliases} from '../../../sourceAliases.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * What the built page may load: its own files, MNIST from its mirrors, and nothing else. The
 * development server needs more.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "worker-src 'self'",
  "connect-src 'self' https://storage.googleapis.com https://ossci-datasets.s3.amazonaws.com",
].join('; ');

const contentSecurityPolicy: Plugin = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {tag: 'meta', attrs: {'http-equiv': 'Content-Security-Policy', content: POLICY}, injectTo: 'head-prepend'},
  ],
};

/**
 * Lets a page that was opened as a file have its styles: with `crossorigin` a browser refuses them.
 */
const stylesOfFiles: Plugin = {
  name: 'styles-of-files',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler: (html) => html.replace('<link rel="stylesheet" crossorigin', '<link rel="stylesheet"'),
  },
};

/**
 * What only the worker imports, or only once it is used: found late, the development server would
 * load the page again.
 */
const FOUND_LATE = ['core', 'layers', 'backend-cpu', 'backend-wasm', 'backend-webgl', 'backend-webgpu'];

/**
 * Modules of tfjs-layers that the page does not use can be left out, which the package does not
 * declare. Each registers its own classes only, except for the flags and the gradients of `index`.
 */
const treeshake = {
  moduleSideEffects: [{test: /tfjs-layers[\\/]dist[\\/](?!index|flags_layers)/, sideEffects: false}],
};

/**
 * Whose code the page contains, once for the page and once for its worker. The files of tfjs repeat
 * its licence a thousand times, in a twentieth of all bytes.
 */
const NOTICE = `/*! Contains TensorFlow.js, Copyright Google LLC, Apache License 2.0,
https://www.apache.org/licenses/LICENSE-2.0; uPlot, Copyright Leon Sorokin, and seedrandom, Copyright David Bau,
MIT License, https://opensource.org/license/mit */`;
const output = {
  comments: {legal: false},
  postBanner: ({isEntry}: {isEntry: boolean}) => (isEntry ? NOTICE : ''),
};

export default defineConfig({
  root: here('.'),
  // Works from any folder of any site.
  base: './',
  plugins: [contentSecurityPolicy, stylesOfFiles],
  resolve: {alias: sourceAliases},
  optimizeDeps: {include: FOUND_LATE.map((name) => `@tensorflow/tfjs-${name}`)},
  worker: {format: 'es', rolldownOptions: {treeshake, output}},
  build: {
    rolldownOptions: {treeshake, output},
    outDir: here('dist'),
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 1200,
  },
});
