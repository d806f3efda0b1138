/** @file Getting started has the sizes of imports that were measured. */
import {expect, it} from 'vitest';
import {expectMarkedTable} from '../support/markedTable';
import {markdownTable} from '../support/resultTables';
import {readSource} from '../support/sources';

const RESULTS = 'size.json';

/** An import, and the name of its size in `.size-limit.json`. */
const IMPORTS = [
  ['`topK`', 'one selector'],
  ['`ohemStep`, `topK`, `categoricalCrossentropy`', 'one step, one loss, one selector'],
  ['`fitOhem`', 'fitOhem'],
  ['`enableWasmTraining`', 'wasm kernels'],
  ['everything in `ohem-tfjs`', 'everything (ESM)'],
  ['`ohem.global.js`, for script tags', 'script'],
] as const;

const sizes = JSON.parse(readSource(`docs/results/${RESULTS}`).text) as {name: string; size: number}[];

it('docs/getting-started.md has the sizes of docs/results/size.json: UPDATE_TABLE=1 writes them', () => {
  const rows = IMPORTS.map(([what, name]) => {
    const bytes = sizes.find((entry) => entry.name === name)?.size ?? Number.NaN;
    return [what, (bytes / 1000).toFixed(1)];
  });
  const table = markdownTable([['imported', 'kB, gzipped'], ...rows]);
  const source = `[Raw figures](results/${RESULTS}), by \`npm run size\`.`;
  expectMarkedTable({document: 'docs/getting-started.md', name: 'sizes', table: `${table}\n\n${source}`});
});

it('Each of these sizes has a limit', () => {
  const limits = JSON.parse(readSource('.size-limit.json').text) as {name: string}[];
  expect(limits.map(({name}) => name)).toEqual(expect.arrayContaining(IMPORTS.map(([, name]) => name)));
  expect(sizes.map(({name}) => name)).toEqual(limits.map(({name}) => name));
});
