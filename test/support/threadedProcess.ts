/** @file A process that multiplies on two threads of wasm, and ends as its argument says. */
import '@tensorflow/tfjs-backend-wasm';
import {isMainThread, Worker} from 'node:worker_threads';
import {enableProdMode, matMul, ones, setBackend} from '@tensorflow/tfjs-core';
import {enableWasmThreads} from 'ohem-tfjs/node';
import {enableWasmTraining} from 'ohem-tfjs/wasm';

const [, program, way] = process.argv as [string, string, string];

if (way === 'in a worker' && isMainThread) {
  new Worker(program, {argv: [way]});
} else {
  enableProdMode();
  const threads = await enableWasmThreads(2);
  await setBackend('wasm');
  // Of this size, our own code has threads as well.
  enableWasmTraining();
  const [product] = matMul(ones([128, 128]), ones([128, 128])).dataSync();
  process.stdout.write(`${threads} ${product}\n`);
  if (way === 'by exit') process.exit(3);
  if (way === 'by an error') throw new Error('thrown on purpose');
  if (way === 'after a timer') setTimeout(() => process.stdout.write('later\n'), 20);
}
