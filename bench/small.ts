import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {type Contestant, interleaved, median} from './interleaved';
import {computing, type KernelRun, kernelCounts, kernelMs, kernelRuns, mostFrequent, productMs} from './kernelCounts';
import {SMALL_MODELS, type SmallModel, smallModels} from './smallModels';
import {type Compared, compareSteps, type MinedStep, type SmallBuild, smallSteps} from './smallSteps';

/**
 * Rounds for each round of `--rounds`. Short steps are cheap to repeat, and a busy machine disturbs
 * them more.
 */
const ROUNDS = {short: 6, long: 2};

/** Steps whose kernels are timed one by one, beside the others. */
const PROFILED = 25;

/** Steps of one small model on one backend. */
export interface SmallTiming {
  name: string;
  backend: string;
  /** How the mined step computed its gradients. */
  strategy: string;
  /** Median milliseconds of one step. */
  stockMs: number;
  minedMs: number;
  olderMs?: number;
  /** Median milliseconds of its kernels, the time between them left out. */
  kernelMs: Compared<number>;
  /** Of these, the products, convolutions and pools: no step can take less. */
  productMs: Compared<number>;
  /** Kernels of one step that are not views. */
  kernels: Compared<number>;
  mostFrequent: Compared<string>;
}

/**
 * Times a step that mines the harder half of a batch beside `trainOnBatch`, and counts the kernels
 * of both. All small models run on wasm, with the kernels of this library, and three run on cpu.
 * Leaves wasm set.
 *
 * @param older  an older build, whose steps take turns with those of this one.
 */
export async function timeSmall(rounds: number, older?: SmallBuild): Promise<SmallTiming[]> {
  const timings: SmallTiming[] = [];
  for (const small of smallModels('2-8-2', '4-16-16-3', '784-128-10')) {
    await setBackend('cpu');
    timings.push(await timeOne(small, 'cpu', rounds, older));
  }
  await setBackend('wasm');
  enableWasmTraining();
  for (const small of SMALL_MODELS) timings.push(await timeOne(small, 'wasm', rounds, older));
  return timings;
}

async function timeOne(small: SmallModel, backend: string, rounds: number, older?: SmallBuild): Promise<SmallTiming> {
  const steps = smallSteps(small);
  const mined = steps.mining();
  const contestants = [
    repeated('stock', small.turn, steps.stock),
    repeated('mined', small.turn, mined),
    ...(older ? [repeated('older', small.turn, steps.mining(older))] : []),
  ];
  const isShort = backend === 'wasm' && small.turn > 1;
  const timed = await interleaved(contestants, rounds * ROUNDS[isShort ? 'short' : 'long']);
  const ms = timed.map((timing) => timing.ms / small.turn);
  const [stockMs, minedMs, olderMs] = ms as [number, number, number?];
  steps.dispose();
  const counted = await compareSteps(small, kernelCounts);
  const profiled = await compareSteps(small, (step) => medianTimes(step, PROFILED));
  return {
    ...{name: small.name, backend, strategy: mined.strategy(), stockMs, minedMs},
    ...(olderMs !== undefined && {olderMs}),
    kernelMs: {mined: profiled.mined.kernels, stock: profiled.stock.kernels},
    productMs: {mined: profiled.mined.products, stock: profiled.stock.products},
    kernels: {mined: computing(counted.mined), stock: computing(counted.stock)},
    mostFrequent: {mined: mostFrequent(counted.mined), stock: mostFrequent(counted.stock)},
  };
}

/** The median times of all kernels of a step, and of the products among them. */
async function medianTimes(step: () => unknown, steps: number): Promise<{kernels: number; products: number}> {
  const runs: KernelRun[][] = [];
  for (let taken = 0; taken < steps; taken++) runs.push(await kernelRuns(step));
  return {kernels: median(runs.map(kernelMs)), products: median(runs.map(productMs))};
}

/** A contestant whose run is several steps, one after the other. */
function repeated(name: string, steps: number, step: MinedStep | (() => Promise<unknown>)): Contestant {
  const run = async () => {
    for (let taken = 0; taken < steps; taken++) await step();
  };
  return {name, run};
}

export function printSmall(timings: readonly SmallTiming[]): void {
  console.log('\nSmall models: the harder half of each batch mined, beside trainOnBatch; kernels without views');
  console.table(
    timings.map(({name, backend, strategy, stockMs, minedMs, olderMs, kernelMs, productMs, kernels, mostFrequent}) => ({
      model: name,
      backend,
      by: strategy,
      'stock ms': Number(stockMs.toFixed(2)),
      'mined ÷ stock': Number((minedMs / stockMs).toFixed(2)),
      'kernels ÷ stock': Number((kernelMs.mined / stockMs).toFixed(2)),
      'products ÷ stock': Number((productMs.mined / stockMs).toFixed(2)),
      ...(olderMs && {'mined ÷ older': Number((minedMs / olderMs).toFixed(2))}),
      'kernels: mined, stock': `${kernels.mined}, ${kernels.stock}`,
      'most frequent when mined': mostFrequent.mined,
      'most frequent in stock': mostFrequent.stock,
    })),
  );
}
