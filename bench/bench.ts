/** @file `npm run bench`: times of whole training steps on wasm, in one process, as medians and ratios. */

import {mkdirSync, writeFileSync} from 'node:fs';
import {cpus} from 'node:os';
import {parseArgs} from 'node:util';
import '@tensorflow/tfjs-backend-wasm';
import {enableProdMode, setBackend, version_core} from '@tensorflow/tfjs-core';
import {floor, miningSteps, randomBatch, referenceModel, stockSteps} from './denseSteps';
import {interleaved} from './interleaved';

const PAIRS: [n: number, k: number][] = [
  [512, 512],
  [512, 384],
  [1024, 512],
  [1024, 128],
  [512, 64],
];

const {values} = parseArgs({
  options: {rounds: {type: 'string', default: '20'}, out: {type: 'string', default: 'bench-results'}},
});

enableProdMode();
await setBackend('wasm');
const model = referenceModel();
const batches = new Map([512, 1024].map((n) => [n, randomBatch(n)]));
const timings = await interleaved(
  [
    ...stockSteps(model, batches.get(512) as {xs: never; ys: never}),
    ...miningSteps(model, batches, PAIRS),
    ...PAIRS.map(([n, k]) => floor(n, k)),
  ],
  Number(values.rounds),
);

const msOf = (name: string) => timings.find((timing) => timing.name === name)?.ms as number;
const rows = timings.map(({name, ms, runs}) => ({
  step: name,
  'ms (median)': Number(ms.toFixed(1)),
  runs,
  '÷ stock step': Number((ms / msOf('stock step')).toFixed(2)),
  'stock kernels ÷': Number((msOf('trainOnBatch, stock kernels') / ms).toFixed(1)),
}));
console.log('784-1024-10, wasm; the stock step and trainOnBatch take 512 rows; all on our kernels but the first.');
console.table(rows);
mkdirSync(values.out, {recursive: true});
const machine = {cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, tfjs: version_core};
writeFileSync(
  `${values.out}/dense.json`,
  `${JSON.stringify({machine, rounds: Number(values.rounds), timings}, null, 2)}\n`,
);
console.log(`Written to ${values.out}/dense.json`);
