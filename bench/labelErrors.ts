/**
 * @file `npm run label-errors`: how many of the rows that a ledger suspects have a wrong label, on
 *   MNIST, for three seeds.
 */

import {mkdirSync, writeFileSync} from 'node:fs';
import {parseArgs} from 'node:util';
import '@tensorflow/tfjs-backend-wasm';
import {enableProdMode, setBackend, version_core} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {loadDigits} from '../examples/mnist/data/load';
import {FLIPPED_SHARE, flipLabels, ROWS, shareFlipped, watchTraining} from './flippedLabels';

const {values} = parseArgs({
  options: {
    data: {type: 'string'},
    out: {type: 'string', default: 'bench-results'},
  },
});

const SEEDS = [1, 2, 3];
const EPOCHS = [2, 5, 10, 20, 30];
const COUNT = ROWS * FLIPPED_SHARE;

enableProdMode();
await setBackend('wasm');
enableWasmTraining();
const {train, source, description} = await loadDigits({folder: values.data, onMessage: console.log});
console.log(`${ROWS} of ${description}; ${COUNT} labels are wrong`);

const rows = [];
for (const seed of SEEDS) {
  const {digits, flipped} = flipLabels(train, seed);
  let epoch = 0;
  for await (const ledger of watchTraining(digits, {seed, epochs: Math.max(...EPOCHS)})) {
    epoch++;
    if (!EPOCHS.includes(epoch)) continue;
    const suspects = shareFlipped(ledger.suspects(COUNT), flipped);
    const hardest = shareFlipped(ledger.hardest(COUNT), flipped);
    rows.push({seed, epoch, suspects, hardest});
  }
}
console.log(`Share of wrong labels among the first ${COUNT} of suspects() and of hardest()`);
console.table(rows);

mkdirSync(values.out, {recursive: true});
const results = {source, rows: ROWS, flipped: COUNT, node: process.version, tfjs: version_core, results: rows};
writeFileSync(`${values.out}/label-errors.json`, `${JSON.stringify(results, null, 2)}\n`);
console.log(`Written to ${values.out}/label-errors.json`);
