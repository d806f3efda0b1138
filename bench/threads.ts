/**
 * @file `npm run bench:threads`: times of training steps on several wasm threads and on one. Each
 * number of threads has a process of its own, and the two take turns, so that the load of the
 * machine meets both.
 */
import {fork} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, writeFileSync} from 'node:fs';
import {availableParallelism, cpus} from 'node:os';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import '@tensorflow/tfjs-backend-wasm';
import {enableProdMode, setBackend, type Tensor, version_core, zeros} from '@tensorflow/tfjs-core';
import {enableWasmThreads} from 'ohem-tfjs/node';
import type {Contestant} from './interleaved';
import {randomBatch, SUBJECTS} from './models';
import {forward, miningSteps, stockStep} from './steps';

const {values} = parseArgs({
  options: {
    threads: {type: 'string', default: String(availableParallelism())},
    rounds: {type: 'string', default: '40'},
    out: {type: 'string', default: 'bench-results'},
    /** Only in a process that this one starts. */
    worker: {type: 'boolean', default: false},
  },
});

/** The networks by the start of their names, and the rows that they run forward and backward. */
const PAIRS = {dense: [512, 384], cnn: [64, 48]} as const;

function contestants(): Contestant[] {
  return Object.entries(PAIRS).flatMap(([start, [n, k]]) => {
    const subject = SUBJECTS.find(({name}) => name.startsWith(start));
    if (!subject) throw new Error(`no network ${start}`);
    const [model, batch] = [subject.build(), randomBatch(n, subject.shape)];
    const steps = [forward(model, batch), stockStep(model, batch), ...miningSteps(model, batch, k)];
    const timed = steps.filter(({name}) => !/recompute|masked/.test(name));
    return timed.map((step) => ({...step, name: `${start}: ${step.name}`}));
  });
}

/** Answers each message, the place of a contestant, with the milliseconds of one run. */
async function work(threads: number): Promise<void> {
  enableProdMode();
  const running = await enableWasmThreads(threads);
  if (running !== threads) throw new Error(`threads: ${threads} must run, got ${running}`);
  await setBackend('wasm');
  const all = contestants();
  const moved: Tensor[] = [];
  process.on('message', (at: number) => {
    const {prepare, run} = all[at] as Contestant;
    // Products are slower at some addresses, so each run has its tensors at other ones.
    moved.push(zeros([1 + Math.floor(Math.random() * 250_000)]));
    if (moved.length > 8) moved.splice(Math.floor(Math.random() * 8), 1)[0]?.dispose();
    prepare?.();
    const start = performance.now();
    void run();
    process.send?.(performance.now() - start);
  });
  process.send?.(all.map(({name}) => name));
}

const median = (ms: number[]): number => [...ms].sort((a, b) => a - b)[ms.length >> 1] as number;

/** Rounds that are not counted, in which V8 compiles. */
const WARM_UP = 15;

/** Starts a process on this number of threads. */
async function processOn(threads: number) {
  const child = fork(fileURLToPath(import.meta.url), ['--worker', '--threads', String(threads)]);
  const answer = async () => (await once(child, 'message'))[0];
  const names: string[] = await answer();
  const time = (at: number): Promise<number> => {
    child.send(at);
    return answer();
  };
  return {names, time, end: () => child.disconnect()};
}

/** Share of the time of all cores that others use: threads gain nothing on a core that is busy. */
async function busyShare(): Promise<number> {
  const times = () => cpus().map(({times: {idle, ...busy}}) => ({idle, busy: sum(Object.values(busy))}));
  const before = times();
  await pause(2000);
  const passed = times().map(({idle, busy}, core) => ({
    idle: idle - (before[core]?.idle ?? 0),
    busy: busy - (before[core]?.busy ?? 0),
  }));
  const busy = sum(passed.map((core) => core.busy));
  return busy / (busy + sum(passed.map((core) => core.idle)));
}

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);

async function compare(threads: number, rounds: number): Promise<void> {
  const one = await processOn(1);
  const several = await processOn(threads);
  const busy = await busyShare();
  const samples = one.names.map((name) => ({name, one: [] as number[], several: [] as number[]}));
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [at, {one: ofOne, several: ofSeveral}] of samples.entries()) {
      const pair = [await one.time(at), await several.time(at)] as const;
      if (round < 0) continue;
      ofOne.push(pair[0]);
      ofSeveral.push(pair[1]);
    }
  }
  const timings = samples.map(({name, one: ofOne, several: ofSeveral}) => {
    const [oneMs, ms] = [median(ofOne), median(ofSeveral)];
    return {name, oneMs, ms, ratio: ms / oneMs};
  });
  one.end();
  several.end();
  console.log(`Before the start ${Math.round(100 * busy)} % of the cores were busy`);
  console.table(timings.map(({name, ...numbers}) => ({name, ...rounded(numbers)})));
  const machine = {cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, tfjs: version_core};
  const results = {machine, threads, rounds, busyBefore: busy, timings};
  mkdirSync(values.out, {recursive: true});
  writeFileSync(`${values.out}/bench-threads.json`, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`Written to ${values.out}/bench-threads.json`);
}

const rounded = (numbers: Record<string, number>) =>
  Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, Number(number.toFixed(2))]));

if (values.worker) await work(Number(values.threads));
else await compare(Number(values.threads), Number(values.rounds));
