import '@tensorflow/tfjs-backend-wasm';
import {
  backend,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  dispose,
  fill,
  matMul,
  setBackend,
  type Tensor,
  zeros,
} from '@tensorflow/tfjs-core';
import {enableWasmThreads} from 'ohem-tfjs/node';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {PRODUCT} from '../../../src/backends/wasm/assembly/kinds';
import {jobsFor} from '../../../src/backends/wasm/jobs';
import type {WasmBackend} from '../../../src/backends/wasm/workbench';
import {freshWasm} from '../../support/freshWasm';
import {random, runKernel} from './sameAsCpu';

/** Makes inputs, and returns what computes a result of them. */
type Case = () => () => Tensor;

function product(rows: number, inner: number, columns: number, isTurnedA: boolean, isTurnedB: boolean): Case {
  return () => {
    const a = random(isTurnedA ? [inner, rows] : [rows, inner], 1);
    const b = random(isTurnedB ? [columns, inner] : [inner, columns], 2);
    return () => matMul(a, b, isTurnedA, isTurnedB);
  };
}

const CONVOLUTION = {strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1} as const;
const image = (channels: number) => [9, 14, 15, channels];

function filterGradient(channels: number, filters: number): Case {
  return () => {
    const inputs = {x: random(image(channels), 1), dy: random(image(filters), 2)};
    return () => runKernel(Conv2DBackpropFilter, inputs, {...CONVOLUTION, filterShape: [3, 5, channels, filters]});
  };
}

function inputGradient(channels: number, filters: number): Case {
  return () => {
    const inputs = {dy: random(image(filters), 1), filter: random([3, 5, channels, filters], 2)};
    return () => runKernel(Conv2DBackpropInput, inputs, {...CONVOLUTION, inputShape: image(channels)});
  };
}

/** More than 2^20 multiplications each, so that threads share them. */
const SHARED: readonly Case[] = [
  // By columns, by rows, and by rows of a transposed left factor; many with a smaller last tile.
  ...[false, true].flatMap((isTurnedB) => [
    product(64, 513, 200, false, isTurnedB),
    product(300, 700, 13, false, isTurnedB),
    product(1, 1100, 1000, false, isTurnedB),
    product(257, 100, 129, true, isTurnedB),
    product(65, 1030, 80, true, isTurnedB),
  ]),
  // By channels, by lines of the filter, and by images.
  ...[filterGradient(5, 30), filterGradient(12, 8), inputGradient(5, 30), inputGradient(12, 8)],
];

function bits(compute: () => Tensor): Buffer {
  const result = compute();
  const {buffer} = result.dataSync();
  result.dispose();
  return Buffer.from(buffer);
}

type Program = {wasmMemory: WebAssembly.Memory; _malloc(bytes: number): number};
/** Bytes of a job, and the first of those that say where its scratch is: see assembly/job.ts. */
const JOB = {size: 128, scratch: 20};

// On two cores one of three threads often sleeps in the middle of a tile.
describe('On three threads', () => {
  let one: Buffer[] = [];
  let three: (() => Tensor)[] = [];
  let program: Program;
  /** Where the jobs are. */
  let job = 0;

  beforeAll(async () => {
    freshWasm();
    await setBackend('wasm');
    enableWasmTraining();
    one = SHARED.map((prepare) => bits(prepare()));
    freshWasm();
    expect(await enableWasmThreads(3)).toBe(3);
    await setBackend('wasm');
    three = SHARED.map((prepare) => prepare());
    program = (backend() as WasmBackend).wasm as Program;
    const {_malloc} = program;
    program._malloc = (size) => {
      const at = _malloc(size);
      if (size === JOB.size) job ||= at;
      return at;
    };
  });
  afterAll(() => enableWasmTraining()());

  it('jobs have the bits of one thread, again and again', () => {
    for (let round = 0; round < 100; round++)
      for (const [i, compute] of three.entries())
        expect([i, bits(compute).equals(one[i] as Buffer)]).toEqual([i, true]);
  });

  it('each tile is computed once', () => {
    // One row each: sums[row] += ones[row] · ones[0].
    const [rows, rounds] = [20_000, 50];
    const [sums, ones] = [zeros([rows]), fill([rows], 1)];
    const places = [sums, ones].map((x) => (backend() as WasmBackend).typedArrayFromHeap(x).byteOffset);
    const [to, from] = places as [number, number];
    const jobs = jobsFor(backend() as WasmBackend, rows);
    for (let round = 0; round < rounds; round++)
      jobs?.run(PRODUCT, {tiles: rows, threads: 3}, 1000, [to, 4, from, 4, 4, from, 4, 4, rows, 1, 1, 1, 8, 1]);
    expect(new Set(sums.dataSync())).toEqual(new Set([rounds]));
    dispose([sums, ones]);
  });

  it('each thread computes tiles, with intermediate results of its own', () => {
    const {buffer} = program.wasmMemory;
    const [scratch, size] = new Uint32Array(buffer, job + JOB.scratch, 2) as unknown as [number, number];
    const pieces = [0, 1, 2].map((thread) => new Uint8Array(buffer, scratch + thread * size, size));
    for (const piece of pieces) piece.fill(0);
    for (let round = 0; round < 40; round++) for (const compute of three) bits(compute);
    for (const piece of pieces) expect(piece.some((byte) => byte !== 0)).toBe(true);
  });
});
