/**
 * @file `npm run bench`: times of whole training steps on wasm, in one process, as medians and
 *   ratios.
 */

import {mkdirSync, writeFileSync} from 'node:fs';
import {cpus} from 'node:os';
import {resolve} from 'node:path';
import {parseArgs} from 'node:util';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import {enableProdMode, memory, profile, scalar, setBackend, version_core} from '@tensorflow/tfjs-core';
import {enableWasmThreads} from 'ohem-tfjs/node';
import {fitting} from './fitting';
import {type Contestant, cpuClock, interleaved, type Timing} from './interleaved';
import {LEDGER_ROWS, ledgerContestants} from './ledger';
import {randomBatch, SUBJECTS, type Subject} from './models';
import {allTriplets, pairContestants, pairSteps} from './pairs';
import {bytesPerRow, inTrainer, SAMPLED_ROWS, samplerContestants, trainerContestants} from './samplers';
import {selections} from './selection';
import {printSmall, type SmallTiming, timeSmall} from './small';
import {printFits, timeFits} from './smallFits';
import type {SmallBuild} from './smallSteps';
import {type Build, floor, forward, miningSteps, onStockKernels, STRATEGIES, stockStep} from './steps';

const {values} = parseArgs({
  options: {
    rounds: {type: 'string', default: '15'},
    only: {type: 'string', default: ''},
    threads: {type: 'string', default: '1'},
    against: {type: 'string'},
    out: {type: 'string', default: 'bench-results'},
  },
});

/** Whether `--only` selects a subject or a section: by the beginning of its name. */
const isSelected = (name: string) => name.startsWith(values.only);

enableProdMode();
const threads = await enableWasmThreads(Number(values.threads));
console.log(`Threads: ${threads}`);
await setBackend('wasm');

/**
 * An older build, from the folder of its checkout: its steps take turns with those of this one, so
 * that noise meets both.
 */
const older: (Build & SmallBuild) | undefined =
  values.against && (await import(resolve(values.against, 'dist/index.js')));
const OLDER = ' by the older build';

/** Largest memory that tensors take during a run, beside those that were there before, in MiB. */
async function peakMemory({prepare, run}: Contestant): Promise<number> {
  prepare?.();
  const {numBytes} = memory();
  const {peakBytes} = await profile(async () => {
    await run();
    return scalar(0);
  });
  return (peakBytes - numBytes) / 2 ** 20;
}

async function timeSubject({name, shape, build, pairs, widths}: Subject) {
  const model = build();
  const batches = new Map(pairs.map(([n]) => [n, randomBatch(n, shape)] as const));
  const first = batches.get(pairs[0]?.[0] as number) as ReturnType<typeof randomBatch>;
  const contestants = [
    ...[...batches.values()].flatMap((batch) => [forward(model, batch), stockStep(model, batch)]),
    ...pairs.flatMap(([n, k]) => [
      ...miningSteps(model, batches.get(n) as typeof first, k),
      ...(older ? miningSteps(model, batches.get(n) as typeof first, k, older, OLDER) : []),
      ...(widths ? [floor(widths, n, k)] : []),
    ]),
  ];
  const timings = await interleaved(contestants, Number(values.rounds));
  // Apart from the others: kernels that come and go slow down all that the engine has compiled.
  // Without ours convolutions do not train at all.
  const stockRounds = Math.ceil(Number(values.rounds) / 5);
  const onStock = widths
    ? await interleaved([onStockKernels(model, first), ...contestants.filter(isBesideStock(pairs))], stockRounds)
    : [];
  const memory: Record<string, number> = {};
  for (const contestant of contestants.filter(({name}) => /stock \d|\//.test(name))) {
    memory[contestant.name] = await peakMemory(contestant);
  }
  printSubject(name, timings, memory, pairs);
  printOnStock(onStock);
  return {name, timings, onStockKernels: onStock, peakMiB: memory};
}

/**
 * The steps that are compared with one on the stock kernels: the plain one, all rows in our walk,
 * and the first pair that keeps fewer, pruned.
 */
function isBesideStock(pairs: Subject['pairs']): (contestant: Contestant) => boolean {
  const [[n], [, k]] = pairs as [readonly [number, number], readonly [number, number]];
  const names = [`stock ${n}`, `${n}/${n} masked`, `${n}/${k} pruned`];
  return ({name}) => names.includes(name);
}

function printOnStock([onStock, ...others]: Timing[]): void {
  if (!onStock) return;
  const times = others.map(({name, ms}) => `${name} ${(onStock.ms / ms).toFixed(1)} times`);
  console.log(`trainOnBatch on the stock kernels: ${Math.round(onStock.ms)} ms; faster than it: ${times.join(', ')}`);
}

function printSubject(name: string, timings: Timing[], memory: Record<string, number>, pairs: Subject['pairs']): void {
  const ms = (of: string) => timings.find((timing) => timing.name === of)?.ms ?? Number.NaN;
  const round = (value: number, digits = 2) => (Number.isNaN(value) ? '' : Number(value.toFixed(digits)));
  console.log(`\n${name}`);
  console.table(
    pairs.map(([n, k]) => ({
      'n/k': `${n}/${k}`,
      'stock ms': round(ms(`stock ${n}`), 1),
      'forward ms': round(ms(`forward ${n}`), 1),
      ...Object.fromEntries(STRATEGIES.map((strategy) => [`${strategy} ms`, round(ms(`${n}/${k} ${strategy}`), 1)])),
      ...Object.fromEntries(
        STRATEGIES.map((strategy) => [`${strategy} ÷ stock`, round(ms(`${n}/${k} ${strategy}`) / ms(`stock ${n}`))]),
      ),
      ...(older && {
        'pruned ÷ older': round(ms(`${n}/${k} pruned`) / ms(`${n}/${k} pruned${OLDER}`)),
        'masked ÷ older': round(ms(`${n}/${k} masked`) / ms(`${n}/${k} masked${OLDER}`)),
      }),
      'pruned ÷ floor': round(ms(`${n}/${k} pruned`) / ms(`${n}/${k} floor`)),
      'peak MiB: stock, pruned': `${round(memory[`stock ${n}`] ?? Number.NaN, 0)}, ${round(memory[`${n}/${k} pruned`] ?? Number.NaN, 0)}`,
    })),
  );
}

function printLedger(timings: Timing[]): void {
  const stepMs = timings.find(({name}) => name === 'step')?.ms ?? Number.NaN;
  console.log(`\nA ledger of ${LEDGER_ROWS} rows beside a step of the reference model, 512/384 pruned`);
  console.table(
    timings.map(({name, ms}) => ({
      name,
      ms: Number(ms.toFixed(3)),
      '% of a step': Number(((100 * ms) / stepMs).toFixed(2)),
    })),
  );
}

async function timeSelection(): Promise<Timing[]> {
  // The largest: the pixels of 8 images of 512 × 512.
  const timings = await interleaved([1e3, 1e5, 8 * 512 * 512].flatMap(selections), Number(values.rounds));
  console.log(
    '\nThe selection alone: topK({k}) and one tf.topk of three quarters of the losses, aboveThreshold of all of them',
  );
  console.table(timings.map(({name, ms}) => ({name, ms: Number(ms.toFixed(2))})));
  return timings;
}

async function timeLedger(): Promise<Timing[]> {
  const timings = await interleaved(ledgerContestants(), Number(values.rounds));
  printLedger(timings);
  return timings;
}

async function timeSamplers() {
  const rounds = Number(values.rounds);
  // By the clock of the processor, because a sampler runs on one core and waits for nothing.
  const timings = await interleaved(samplerContestants(), rounds, cpuClock);
  const trainer = await interleaved(trainerContestants(), rounds, cpuClock);
  const bytes = bytesPerRow();
  const measured = timings.map((timing) => ({
    ...timing,
    trainerMs: trainer.find(({name}) => name === inTrainer(timing.name))?.ms ?? Number.NaN,
    bytesPerRow: bytes[timing.name] as number,
  }));
  console.log(
    `\nAn epoch of a sampler over ${SAMPLED_ROWS} rows, by the processor: choosing, and updating its state; ` +
      'and the same with the copies, checks and shuffle of a trainer',
  );
  const round = (ms: number) => Number(ms.toFixed(1));
  console.table(
    measured.map(({name, ms, trainerMs, bytesPerRow}) => ({
      name,
      ms: round(ms),
      'ms in fitOhem': round(trainerMs),
      bytesPerRow,
    })),
  );
  return measured;
}

async function timeFitting(): Promise<Timing[]> {
  const timings = await interleaved(fitting(randomBatch(4096, [784])), Number(values.rounds));
  const [loop, fit] = timings.map(({ms}) => ms) as [number, number];
  console.log(
    '\n16 steps, 384 of 512 rows of the reference model: a loop of ohemStep over batches that are cut already, and fitOhem with shuffling and accuracy',
  );
  console.table(timings.map(({name, ms}) => ({name, ms: Number(ms.toFixed(1))})));
  console.log(`fitOhem ÷ loop: ${(fit / loop).toFixed(3)}`);
  return timings;
}

async function timeSmallModels(): Promise<SmallTiming[]> {
  const timings = await timeSmall(Number(values.rounds), older);
  printSmall(timings);
  return timings;
}

async function timePairs(): Promise<{timings: Timing[]; steps: Timing[]; peakMiB: number}> {
  const timings = await interleaved(pairContestants(), Number(values.rounds));
  const products = timings[0]?.ms ?? Number.NaN;
  const peakMiB = await peakMemory(allTriplets());
  console.log('\nLosses of 512 × 128 embeddings with their gradients, beside two products of 512 × 512 × 128');
  console.table(
    timings.map(({name, ms}) => ({name, ms: Number(ms.toFixed(2)), '÷ products': Number((ms / products).toFixed(2))})),
  );
  console.log(`All triplets of 256 rows of two classes: ${peakMiB.toFixed(0)} MiB`);
  const steps = await interleaved(pairSteps(), Number(values.rounds));
  console.log('\nSteps of a network 784-1024-128 over 512 rows, of which few have a gradient');
  console.table(steps.map(({name, ms}) => ({name, ms: Number(ms.toFixed(1))})));
  return {timings, steps, peakMiB};
}

const subjects = [];
for (const subject of SUBJECTS.filter(({name}) => isSelected(name))) subjects.push(await timeSubject(subject));
const selection = isSelected('selection') ? await timeSelection() : [];
const ledger = isSelected('ledger') ? await timeLedger() : [];
const samplers = isSelected('samplers') ? await timeSamplers() : [];
const fittingTimings = isSelected('fitting') ? await timeFitting() : [];
const pairs = isSelected('pairs') ? await timePairs() : undefined;
// Last, since it changes the backend and wraps kernels.
const small = isSelected('small') ? await timeSmallModels() : [];
const fits = isSelected('fits') ? await timeFits(Number(values.rounds)) : [];
if (fits.length > 0) printFits(fits);

mkdirSync(values.out, {recursive: true});
const machine = {cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, tfjs: version_core, threads};
const results = {
  machine,
  rounds: Number(values.rounds),
  subjects,
  selection,
  ledger,
  samplers,
  fitting: fittingTimings,
  ...(pairs && {pairs}),
  small,
  fits,
};
const written = Object.entries(results).filter(([, section]) => !(Array.isArray(section) && section.length === 0));
const file = `${values.out}/${values.only === '' ? 'bench' : `bench-${values.only}`}.json`;
writeFileSync(file, `${JSON.stringify(Object.fromEntries(written), null, 2)}\n`);
console.log(`Written to ${file}`);
