/**
 * @file `npm run path`: the files and functions of src that one `ohemStep` call runs, from building
 *   the step to its report, by the precise coverage of V8. A reader of the step has to know these.
 */

import '@tensorflow/tfjs-backend-cpu';
import {Session} from 'node:inspector';
import {relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {oneHot, ones, setBackend, tensor1d, train} from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {categoricalCrossentropy, ohemStep, topK} from 'ohem-tfjs';

interface Coverage {
  result: {url: string; functions: {functionName: string; ranges: {count: number}[]}[]}[];
}

const SRC = fileURLToPath(new URL('../src/', import.meta.url));

await setBackend('cpu');
const model = sequential({layers: [layers.dense({units: 10, activation: 'softmax', inputShape: [784]})]});
const [xs, ys] = [ones([64, 784]), oneHot(tensor1d(new Int32Array(64), 'int32'), 10)];

const session = new Session();
session.connect();
const ask = <T>(method: string, parameters = {}) =>
  new Promise<T>((resolve, reject) =>
    session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result as T))),
  );
await ask('Profiler.enable');
await ask('Profiler.startPreciseCoverage', {callCount: true, detailed: false});
const step = ohemStep(model, {
  loss: categoricalCrossentropy(),
  select: topK({ratio: 0.5}),
  optimizer: train.sgd(0.1),
});
await step(xs, ys).read();
const {result} = await ask<Coverage>('Profiler.takePreciseCoverage');

const files = result
  .filter(({url}) => url.startsWith('file:') && fileURLToPath(url).startsWith(SRC))
  .map(({url, functions}) => ({
    file: relative(SRC, fileURLToPath(url)),
    // The function without a name that is first is the module itself.
    functions: functions.filter(({functionName, ranges}) => functionName !== '' && ranges.some(({count}) => count > 0)),
  }))
  .filter(({functions}) => functions.length > 0)
  .sort((a, b) => a.file.localeCompare(b.file));
console.table(files.map(({file, functions}) => ({file, functions: functions.length})));
const count = files.reduce((total, {functions}) => total + functions.length, 0);
console.log(`${files.length} files, ${count} functions`);
