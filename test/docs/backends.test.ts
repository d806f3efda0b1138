/**
 * @file The document of backends cites the times that were measured, in a browser and on threads in
 *   Node.
 */
import {expect, it} from 'vitest';
import type {BackendTimings} from '../../bench/web/main';
import {expectMarkedTable} from '../support/markedTable';
import {namedFile} from '../support/namedFiles';
import {markdownTable} from '../support/resultTables';
import {readSource} from '../support/sources';

const RESULTS = 'bench-web.json';

it('docs/backends.md has the times of docs/results/bench-web.json: UPDATE_TABLE=1 writes them', () => {
  const {backends, browser} = JSON.parse(readSource(`docs/results/${RESULTS}`).text) as {
    backends: BackendTimings[];
    browser: string;
  };
  const names = backends[0]?.timings.map(({name}) => name) ?? [];
  const rows = backends.map(({backend, timings}) => {
    const plain = timings[0]?.ms as number;
    const cells = timings.map(({ms}, i) => (i === 0 ? ms.toFixed(0) : `${ms.toFixed(0)} (${(ms / plain).toFixed(2)})`));
    return [`\`${backend}\``, ...cells];
  });
  const head = ['backend', ...names.map((name) => (name === 'plain' ? 'plain step' : `\`${name}\``))];
  const source = `${browser.replace(/\..*/, '')}, [raw figures](results/${RESULTS}).`;
  expectMarkedTable({
    document: 'docs/backends.md',
    name: 'speed',
    table: `${markdownTable([head, ...rows])}\n\n${source}`,
  });
  expect(rows.length).toBeGreaterThan(1);
});

it('docs/backends.md has the launches of docs/results/bench-web.json: UPDATE_TABLE=1 writes them', () => {
  const {backends} = JSON.parse(readSource(`docs/results/${RESULTS}`).text) as {backends: BackendTimings[]};
  const gpus = ['webgl', 'webgpu'].map((name) => backends.find(({backend}) => backend === name)?.launches ?? []);
  const [onWebgl, onWebgpu] = gpus as [BackendTimings['launches'], BackendTimings['launches']];
  const rows = onWebgl.map(({name, mined, stock}, i) => {
    const other = onWebgpu[i] as (typeof onWebgpu)[number];
    expect(other.name).toBe(name);
    return [name, ...[mined, stock, other.mined, other.stock].map((count) => count.toLocaleString('en-US'))];
  });
  const head = ['model', '`webgl`: mined', '`trainOnBatch`', '`webgpu`: mined', '`trainOnBatch`'];
  expectMarkedTable({document: 'docs/backends.md', name: 'launches', table: markdownTable([head, ...rows])});
  expect(rows.length).toBeGreaterThan(5);
});

const THREADS = 'bench-threads.json';

interface ThreadTiming {
  name: string;
  oneMs: number;
  ms: number;
  ratio: number;
}

/** `dense: 512/384 pruned` as the document has it: 784-1024-10, `ohemStep`, 384 of 512 rows. */
const described = (name: string) =>
  name
    .replace('dense: ', '784-1024-10, ')
    .replace('cnn: ', 'convolutions, ')
    .replace(/forward (\d+)$/, 'forward pass, $1 rows')
    .replace(/stock (\d+)$/, 'plain step, $1 rows')
    .replace(/(\d+)\/(\d+) pruned$/, '`ohemStep`, $2 of $1 rows');

it('docs/backends.md has the times of docs/results/bench-threads.json: UPDATE_TABLE=1 writes them', () => {
  const {machine, threads, timings} = JSON.parse(readSource(`docs/results/${THREADS}`).text) as {
    machine: {node: string};
    threads: number;
    timings: ThreadTiming[];
  };
  const rows = timings.map(({name, oneMs, ms, ratio}) => [
    described(name),
    oneMs.toFixed(1),
    ms.toFixed(1),
    ratio.toFixed(2),
  ]);
  const head = ['step', '1 thread', `${threads} threads`, 'ratio'];
  const source = `Node ${machine.node.slice(1)}, [raw figures](results/${THREADS}).`;
  expectMarkedTable({
    document: 'docs/backends.md',
    name: 'threads',
    table: `${markdownTable([head, ...rows])}\n\n${source}`,
  });
  expect(rows.length).toBeGreaterThan(1);
});

it('docs/backends.md isolates pages by a configuration of Vite that has both headers', async () => {
  const text = encodeURIComponent(namedFile('docs/backends.md', 'vite.config.js'));
  const {default: config} = await import(/* @vite-ignore */ `data:text/javascript,${text}`);
  const headers = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  };
  expect(config).toEqual({server: {headers}, preview: {headers}});
});
