/**
 * @file Runs the wasm backend on threads in the tests of its kernels. vitest.config.ts sets it up for
 * `WASM_THREADS=2 npx vitest run test/backends/wasm`.
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {enableWasmThreads} from 'ohem-tfjs/node';

const threads = Number(process.env.WASM_THREADS);
const running = await enableWasmThreads(threads);
if (running !== threads) throw new Error(`WASM_THREADS: ${threads} threads must run, got ${running}.`);
