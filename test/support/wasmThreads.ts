/**
 * @file Runs the wasm backend on threads, for `WASM_THREADS=2 npx vitest run test/backends/wasm`.
 * vitest.config.ts sets it up before each file.
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {enableWasmThreads} from 'ohem-tfjs/node';

const threads = Number(process.env.WASM_THREADS);
const running = await enableWasmThreads(threads);
if (running !== threads) throw new Error(`WASM_THREADS: ${threads} threads must run, got ${running}.`);
