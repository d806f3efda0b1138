/**
 * @file `npm run imbalance`: average precision on a 1:100 two-class problem after the same steps of
 *   several rules, for five seeds.
 */

import {mkdirSync, writeFileSync} from 'node:fs';
import {parseArgs} from 'node:util';
import '@tensorflow/tfjs-backend-wasm';
import {
  dispose,
  enableProdMode,
  expandDims,
  mean,
  setBackend,
  sigmoid,
  type Tensor,
  tensor1d,
  tensor2d,
  tidy,
  train,
  version_core,
} from '@tensorflow/tfjs-core';
import {initializers, type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {all, binaryCrossentropy, hardNegatives, ohemStep, randomK, type Selector, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {rowStream} from '../examples/mnist/experiment/batches';
import {averagePrecision} from './averagePrecision';
import {bestScores, drawRareClass, FEATURES, NEGATIVES_FOR_EACH, type RareClassData} from './rareClass';

const {values} = parseArgs({
  options: {
    out: {type: 'string', default: 'bench-results'},
  },
});

const SEEDS = [1, 2, 3, 4, 5];
const STEPS = [100, 500, 1500];
const BATCH_SIZE = 200;
const TRAIN_POSITIVES = 200;
const TEST_POSITIVES = 400;

interface Rule {
  name: string;
  select: Selector;
  classWeight?: Record<number, number>;
}

const RULES: Rule[] = [
  {name: 'all()', select: all()},
  {name: 'all(), classWeight {1: 100}', select: all(), classWeight: {1: NEGATIVES_FOR_EACH}},
  {name: 'randomK({k: 50})', select: randomK({k: 50, seed: 1})},
  {name: 'topK({k: 50})', select: topK({k: 50})},
  {name: 'hardNegatives({ratio: 3})', select: hardNegatives({ratio: 3})},
  {name: 'hardNegatives({ratio: 3, minNegatives: 48})', select: hardNegatives({ratio: 3, minNegatives: 48})},
];

function classifier(seed: number): LayersModel {
  const [first, second] = [2 * seed + 1, 2 * seed + 2];
  return sequential({
    layers: [
      layers.dense({
        inputShape: [FEATURES],
        units: 32,
        activation: 'relu',
        kernelInitializer: initializers.heNormal({seed: first}),
      }),
      // Logits, since of probabilities near 1 many are the same float32.
      layers.dense({units: 1, kernelInitializer: initializers.glorotNormal({seed: second})}),
    ],
  });
}

function batchOf({features, positive}: RareClassData, rows: Uint32Array) {
  const points = Float32Array.from({length: rows.length * FEATURES}, (_, i) => {
    return features[(rows[Math.floor(i / FEATURES)] as number) * FEATURES + (i % FEATURES)] as number;
  });
  const marks = Float32Array.from(rows, (row) => positive[row] as number);
  return {xs: tensor2d(points, [rows.length, FEATURES]), marks: tensor1d(marks)};
}

async function judge(model: LayersModel, {count, features, positive}: RareClassData) {
  const logits = tidy(() => model.predictOnBatch(tensor2d(features, [count, FEATURES])) as Tensor);
  const probability = mean(sigmoid(logits));
  const figures = {
    averagePrecision: averagePrecision(await logits.data(), positive),
    meanProbability: (await probability.data())[0] as number,
  };
  dispose([logits, probability]);
  return figures;
}

/** Trains one classifier by one rule, and judges it on the way. */
async function* trained({select, classWeight}: Rule, data: RareClassData, test: RareClassData, seed: number) {
  const model = classifier(seed);
  const optimizer = train.adam(0.003);
  const step = ohemStep(model, {loss: binaryCrossentropy({fromLogits: true}), select, optimizer});
  const stream = rowStream(data.count, seed);
  let kept = 0;
  for (let taken = 1; taken <= Math.max(...STEPS); taken++) {
    const {xs, marks} = batchOf(data, stream.rowsAt((taken - 1) * BATCH_SIZE, BATCH_SIZE));
    const ys = expandDims(marks, 1);
    const figures = await step(xs, ys, {positive: marks, ...(classWeight && {classWeight})}).read();
    kept += figures.kept;
    dispose([xs, ys, marks]);
    if (STEPS.includes(taken)) yield {steps: taken, kept: kept / taken, ...(await judge(model, test))};
  }
  step.dispose();
  optimizer.dispose();
  model.dispose();
}

enableProdMode();
await setBackend('wasm');
enableWasmTraining();

const rows = [];
const best = [];
for (const seed of SEEDS) {
  const [data, test] = [drawRareClass(TRAIN_POSITIVES, 2 * seed), drawRareClass(TEST_POSITIVES, 2 * seed + 1)];
  best.push({seed, averagePrecision: averagePrecision(bestScores(test), test.positive)});
  for (const rule of RULES) {
    for await (const figures of trained(rule, data, test, seed)) rows.push({seed, rule: rule.name, ...figures});
    console.log(`seed ${seed}, ${rule.name}: average precision ${rows.at(-1)?.averagePrecision.toFixed(3)}`);
  }
}
console.log('The best that can be reached');
console.table(best);
console.log('Average precision and mean predicted probability on the test rows, and how many rows of 200 were kept');
console.table(rows);

mkdirSync(values.out, {recursive: true});
const results = {
  batchSize: BATCH_SIZE,
  train: {positives: TRAIN_POSITIVES, negatives: NEGATIVES_FOR_EACH * TRAIN_POSITIVES},
  test: {positives: TEST_POSITIVES, negatives: NEGATIVES_FOR_EACH * TEST_POSITIVES},
  node: process.version,
  tfjs: version_core,
  best,
  results: rows,
};
writeFileSync(`${values.out}/imbalance.json`, `${JSON.stringify(results, null, 2)}\n`);
console.log(`Written to ${values.out}/imbalance.json`);
