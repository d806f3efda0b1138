import {dispose, gather, keep, setBackend, type Tensor, tensor1d, tidy, tile, zeros} from '@tensorflow/tfjs-core';
import {fitOhem, ohemStep, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {SMALL_MODELS, type SmallModel, smallBatch} from './smallModels';

/** An epoch of one small model, by `fitOhem` and by a loop of `ohemStep`. */
export interface FitTiming {
  name: string;
  steps: number;
  /** Median milliseconds of the processor for a step: other programs have little part in them. */
  loopMs: number;
  fitMs: number;
  /** Median over the rounds of what `fitOhem` took of the loop beside it. */
  ratio: number;
}

/** Steps of an epoch, so that recording the first ones is a small part of it. */
const STEPS = {short: 400, middle: 100, long: 40};

/**
 * Times `fitOhem` beside a loop of `ohemStep` that does the same: it takes the rows of each batch
 * from the data, steps, and reads the report. Both train the same model in turn, loop, fit, fit,
 * loop, at other addresses in each round.
 */
export async function timeFits(rounds: number): Promise<FitTiming[]> {
  await setBackend('wasm');
  enableWasmTraining();
  const timings: FitTiming[] = [];
  for (const small of SMALL_MODELS) timings.push(await timeFit(small, rounds));
  return timings;
}

async function timeFit(small: SmallModel, rounds: number): Promise<FitTiming> {
  const steps = small.steps >= 8 ? STEPS.short : small.steps > 1 ? STEPS.middle : STEPS.long;
  const batch = smallBatch(small);
  const model = small.build();
  const several = (tensor: Tensor) => keep(tile(tensor, [steps, ...tensor.shape.slice(1).map(() => 1)]));
  const [x, y] = [several(batch.xs), several(batch.ys)];
  const {rows} = small;
  const options = {select: topK({ratio: 0.5}), granularity: small.granularity ?? null};
  const loop = async () => {
    const step = ohemStep(model, options);
    const order = Int32Array.from({length: steps * rows}, (_, row) => row);
    for (let taken = 0; taken < steps; taken++) {
      const ofBatch = order.slice(taken * rows, (taken + 1) * rows);
      const [xs, ys] = tidy(() => [x, y].map((all) => gather(all, tensor1d(ofBatch, 'int32')))) as [Tensor, Tensor];
      await step(xs, ys).read();
      xs.dispose();
      ys.dispose();
    }
    step.dispose();
  };
  const fit = () => fitOhem(model, x, y, {...options, batchSize: rows, shuffle: false, verbose: 0});
  const timed = async (run: () => Promise<unknown>) => {
    const start = process.cpuUsage();
    await run();
    const {user, system} = process.cpuUsage(start);
    return (user + system) / 1000 / steps;
  };
  await timed(loop);
  await timed(fit);
  const pairs: {loop: number; fit: number}[] = [];
  const elsewhere = movingBatches(batch.xs.size);
  for (let round = 0; round < rounds; round++) {
    const first = {loop: await elsewhere(() => timed(loop)), fit: await elsewhere(() => timed(fit))};
    pairs.push(first, {fit: await elsewhere(() => timed(fit)), loop: await elsewhere(() => timed(loop))});
  }
  for (const tensor of [x, y, batch.xs, batch.ys]) tensor.dispose();
  return {
    ...{name: small.name, steps},
    loopMs: median(pairs.map((pair) => pair.loop)),
    fitMs: median(pairs.map((pair) => pair.fit)),
    ratio: median(pairs.map((pair) => pair.fit / pair.loop)),
  };
}

/**
 * Runs a function while tensors about as large as its batches are held, a different number of them
 * each time. At some addresses a product of matrices takes up to half as long again, and without
 * these tensors a process would reuse the same addresses.
 */
function movingBatches(size: number) {
  let run = 0;
  return async <T>(f: () => Promise<T>): Promise<T> => {
    run++;
    const held = Array.from({length: (5 * run) % 8}, (_, i) => zeros([size + 16 * ((37 * run + 11 * i) % 61)]));
    try {
      return await f();
    } finally {
      dispose(held);
    }
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] as number) + (sorted[sorted.length >> 1] as number)) / 2;
}

export function printFits(timings: readonly FitTiming[]): void {
  console.log('\nSmall models on wasm: fitOhem beside a loop of ohemStep that takes rows, steps and reads');
  console.table(
    timings.map(({name, steps, loopMs, fitMs, ratio}) => ({
      ...{model: name, steps, 'loop, CPU ms': Number(loopMs.toFixed(3)), 'fitOhem, CPU ms': Number(fitMs.toFixed(3))},
      'fitOhem ÷ loop': Number(ratio.toFixed(3)),
    })),
  );
}
