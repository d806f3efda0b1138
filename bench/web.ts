/**
 * @file `npm run bench:web`: times of training steps on every backend of a browser, and launches on
 *   its GPUs, in headless Chromium; `--open` serves the page to one of your own.
 */

import {mkdirSync, writeFileSync} from 'node:fs';
import {cpus} from 'node:os';
import {parseArgs} from 'node:util';
import {version_core} from '@tensorflow/tfjs-core';
import {createServer} from 'vite';
import page from '../examples/mnist/web/vite.config';
import {launchChromium} from '../test/support/chromium';
import type {BackendTimings} from './web/main';

const {values} = parseArgs({
  options: {
    rounds: {type: 'string', default: '9'},
    /** `times` or `launches`. */
    only: {type: 'string', default: ''},
    out: {type: 'string', default: 'bench-results'},
    open: {type: 'boolean', default: false},
  },
});

function printTimes(backends: readonly BackendTimings[]): void {
  const rows = backends.map(({backend, timings}) => [
    backend,
    Object.fromEntries(timings.map(({name, ms}) => [name, Math.round(ms)])),
  ]);
  console.table(Object.fromEntries(rows));
}

function printLaunches(backends: readonly BackendTimings[]): void {
  console.log('\nLaunches of one step of small models: the harder half of each batch mined, and trainOnBatch');
  console.table(
    backends.flatMap(({backend, launches}) =>
      launches.map(({name, mined, stock}) => ({model: name, backend, mined, trainOnBatch: stock})),
    ),
  );
}

const server = await createServer({
  ...page,
  configFile: false,
  root: new URL('./web', import.meta.url).pathname,
  plugins: [],
  // The sources of the library are two folders up.
  server: {fs: {strict: false}, open: values.open},
});
await server.listen();
const address = server.resolvedUrls?.local[0];
console.log(`The page is at ${address}`);

if (!values.open) {
  const browser = await launchChromium();
  try {
    const tab = await browser.newPage();
    tab.setDefaultTimeout(0);
    await tab.goto(`${address}?rounds=${values.rounds}&only=${values.only}`);
    const backends = await tab.evaluate(() => window.measured);
    if ('times'.startsWith(values.only)) printTimes(backends);
    if ('launches'.startsWith(values.only)) printLaunches(backends);
    mkdirSync(values.out, {recursive: true});
    const results = {
      subject: '784-1024-10, sigmoid; 512 rows forward, 384 backward',
      browser: `Chromium ${browser.version()}`,
      tfjs: version_core,
      cores: cpus().length,
      backends,
    };
    writeFileSync(`${values.out}/bench-web.json`, `${JSON.stringify(results, null, 2)}\n`);
    console.log(`Written to ${values.out}/bench-web.json`);
  } finally {
    await browser.close();
    await server.close();
  }
}
