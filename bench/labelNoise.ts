/**
 * @file `npm run label-noise`: accuracy on clean digits after training with 20 % wrong labels, for
 *   rules that keep as many rows, for three seeds; minutes.
 */

import {mkdirSync, writeFileSync} from 'node:fs';
import {parseArgs} from 'node:util';
import '@tensorflow/tfjs-backend-wasm';
import {enableProdMode, setBackend, version_core} from '@tensorflow/tfjs-core';
import {all, type KeepSchedule, randomK, type Selector, scheduled, topK, trimmedTopK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {loadDigits} from '../examples/mnist/data/load';
import {testAccuracy} from '../examples/mnist/experiment/testAccuracy';
import {flipLabels, ROWS, shareFlipped} from './flippedLabels';
import {type TrainDigitsOptions, trainDigits} from './trainDigits';

const {values} = parseArgs({
  options: {
    data: {type: 'string'},
    out: {type: 'string', default: 'bench-results'},
  },
});

const SHARE = 0.2;
const SEEDS = [1, 2, 3];
const EPOCHS = [2, 10, 30];
const STEPS_PER_EPOCH = 100;

/** All rows for an epoch, then half of them. */
const afterAnEpoch: KeepSchedule<null> = {
  init: () => null,
  ratio: (_, {step}) => (step < STEPS_PER_EPOCH ? 1 : 0.5),
  next: () => null,
};

const SELECTORS: {name: string; select: Selector}[] = [
  {name: 'all()', select: all()},
  {name: 'randomK({k: 75})', select: randomK({k: 75, seed: 1})},
  {name: 'topK({k: 75})', select: topK({k: 75})},
  {name: 'trimmedTopK({k: 75, skip: 20})', select: trimmedTopK({k: 75, skip: 20})},
  {name: 'randomK({k: 50})', select: randomK({k: 50, seed: 1})},
  {name: 'topK({k: 50})', select: topK({k: 50})},
  {name: 'trimmedTopK({k: 50, skip: 10})', select: trimmedTopK({k: 50, skip: 10})},
  {name: 'trimmedTopK({k: 50, skip: 20})', select: trimmedTopK({k: 50, skip: 20})},
  {name: 'trimmedTopK({k: 50, skip: 30})', select: trimmedTopK({k: 50, skip: 30})},
  {
    name: 'all(), then trimmedTopK({k: 50, skip: 20})',
    select: scheduled(({ratio}) => (ratio < 1 ? trimmedTopK({ratio, skip: 20}) : all()), afterAnEpoch),
  },
];

enableProdMode();
await setBackend('wasm');
enableWasmTraining();
const {train, test, source, description} = await loadDigits({folder: values.data, onMessage: console.log});
console.log(`${ROWS} of ${description}; ${ROWS * SHARE} labels are wrong`);

const rows = [];
for (const seed of SEEDS) {
  const {digits, flipped} = flipLabels(train, seed, SHARE);
  for (const {name, select} of SELECTORS) {
    let epoch = 0;
    let kept: number[] = [];
    const onStep: TrainDigitsOptions['onStep'] = async (batch, {selection}) => {
      for (const place of await selection.indices.data()) kept.push(batch[place] as number);
    };
    for await (const model of trainDigits(digits, {seed, epochs: Math.max(...EPOCHS), select, onStep})) {
      epoch++;
      if (EPOCHS.includes(epoch)) {
        const accuracy = await testAccuracy(model, test);
        rows.push({seed, selector: name, epoch, accuracy, wrongAmongKept: shareFlipped(kept, flipped)});
        console.log(`seed ${seed}, ${name}, ${epoch} epochs: ${(100 * accuracy).toFixed(1)} %`);
      }
      kept = [];
    }
  }
}
console.log(
  'Share of the clean test digits that are recognised, and of wrong labels among the rows kept in that epoch',
);
console.table(rows);

mkdirSync(values.out, {recursive: true});
const results = {source, rows: ROWS, flipped: ROWS * SHARE, node: process.version, tfjs: version_core, results: rows};
writeFileSync(`${values.out}/label-noise.json`, `${JSON.stringify(results, null, 2)}\n`);
console.log(`Written to ${values.out}/label-noise.json`);
