/**
 * @file The process that `timeFits` starts for one small model: its name and the number of rounds
 *   of pairs come as arguments, and the pairs are sent back.
 */

import '@tensorflow/tfjs-backend-wasm';
import {
  dispose,
  enableProdMode,
  gather,
  keep,
  nextFrame,
  setBackend,
  type Tensor,
  tensor1d,
  tidy,
  tile,
  zeros,
} from '@tensorflow/tfjs-core';
import {fitOhem, ohemStep, topK} from 'ohem-tfjs';
import {enableWasmThreads} from 'ohem-tfjs/node';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {SMALL_MODELS, type SmallModel, smallBatch} from './smallModels';

/** Milliseconds of the processor a step, by `fitOhem` and by another way beside it. */
export interface FitPair {
  fit: number;
  other: number;
}

/** What one process measured: `fitOhem` beside a loop of `ohemStep`, and beside `fit` of tfjs. */
export interface FitPairs {
  steps: number;
  besideLoop: FitPair[];
  besidePlain: FitPair[];
}

/** Seconds that a timing takes at least: one call runs several epochs, as those of users do. */
const SECONDS = 2;

/**
 * Seconds for each round: fast models get more pairs in them, because their timings spread most.
 */
const SECONDS_PER_ROUND = 4;

/**
 * Milliseconds after which the loop yields to the event loop, as `fitOhem` does. V8 collects most
 * garbage in tasks of the event loop, so that a loop without any would leave its own to the run
 * after it.
 */
const YIELD_EVERY = 125;

/** Timings of each that are not counted: until then V8 still compiles what they run. */
const WARM_UPS = 2;

/**
 * Times `fitOhem` beside a loop of `ohemStep` that does the same: it takes the rows of each batch
 * from the data, steps, reads the report, and yields as often. Then beside `fit` of tfjs, over all
 * rows. Two train the same model in turn, there and back, at other addresses in each round: each of
 * them as often collects what the other left.
 */
async function timeFit(small: SmallModel, rounds: number): Promise<FitPairs> {
  await setBackend('wasm');
  enableWasmTraining();
  const steps = small.epoch;
  const batch = smallBatch(small);
  const model = small.build();
  const several = (tensor: Tensor) => keep(tile(tensor, [steps, ...tensor.shape.slice(1).map(() => 1)]));
  const [x, y] = [several(batch.xs), several(batch.ys)];
  const {rows} = small;
  const options = {select: topK({ratio: 0.5}), granularity: small.granularity ?? null};
  const loop = async (epochs: number) => {
    const step = ohemStep(model, options);
    let yielded = performance.now();
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = Int32Array.from({length: steps * rows}, (_, row) => row);
      for (let taken = 0; taken < steps; taken++) {
        const ofBatch = order.slice(taken * rows, (taken + 1) * rows);
        const [xs, ys] = tidy(() => [x, y].map((all) => gather(all, tensor1d(ofBatch, 'int32')))) as [Tensor, Tensor];
        await step(xs, ys).read();
        xs.dispose();
        ys.dispose();
        if (performance.now() - yielded < YIELD_EVERY) continue;
        await nextFrame();
        yielded = performance.now();
      }
    }
    step.dispose();
  };
  const fit = (epochs: number) =>
    fitOhem(model, x, y, {...options, epochs, batchSize: rows, shuffle: false, verbose: 0});
  const plain = (epochs: number) => model.fit(x, y, {epochs, batchSize: rows, shuffle: false, verbose: 0});
  const timed = async (run: (epochs: number) => Promise<unknown>, epochs: number) => {
    const start = process.cpuUsage();
    await run(epochs);
    const {user, system} = process.cpuUsage(start);
    return (user + system) / 1000 / steps / epochs;
  };
  const epochs = Math.ceil((1000 * SECONDS) / steps / (await timed(loop, 1)));
  const elsewhere = movingBatches(batch.xs.size);
  const pairsWith = async (other: typeof loop | typeof plain): Promise<FitPair[]> => {
    for (let run = 0; run < WARM_UPS; run++) for (const warmUp of [other, fit]) await warmUp(epochs);
    const pairs: FitPair[] = [];
    const time = (run: (epochs: number) => Promise<unknown>) => elsewhere(() => timed(run, epochs));
    const end = performance.now() + 1000 * SECONDS_PER_ROUND * rounds;
    while (pairs.length === 0 || performance.now() < end) {
      pairs.push({other: await time(other), fit: await time(fit)}, {fit: await time(fit), other: await time(other)});
    }
    return pairs;
  };
  const [besideLoop, besidePlain] = [await pairsWith(loop), await pairsWith(plain)];
  for (const tensor of [x, y, batch.xs, batch.ys]) tensor.dispose();
  return {steps, besideLoop, besidePlain};
}

/**
 * Runs a function while tensors about as large as its batches are held, a different number of them
 * each time: seven numbers in turn, because of eight the loop would always hold others than
 * `fitOhem`. At some addresses a product of matrices takes up to half as long again, and without
 * these tensors a process would reuse the same addresses.
 */
function movingBatches(size: number) {
  let run = 0;
  return async <T>(f: () => Promise<T>): Promise<T> => {
    run++;
    const held = Array.from({length: (5 * run) % 7}, (_, i) => zeros([size + 16 * ((37 * run + 11 * i) % 61)]));
    try {
      return await f();
    } finally {
      dispose(held);
    }
  };
}

const [name, rounds] = process.argv.slice(2);
enableProdMode();
await enableWasmThreads(1);
process.send?.(await timeFit(SMALL_MODELS.find((small) => small.name === name) as SmallModel, Number(rounds)));
process.disconnect?.();
