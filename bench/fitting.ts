import type {Tensor} from '@tensorflow/tfjs-core';
import {slice, tidy, train} from '@tensorflow/tfjs-core';
import {fitOhem, halfSquaredError, ohemStep, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import type {Contestant} from './interleaved';
import {type Batch, SUBJECTS} from './models';

/** Rows of a batch, and those that are kept of it. */
const [N, K] = [512, 384];

/** One epoch of `fitOhem` beside a loop of `ohemStep` that does as little as it can: it cuts the batches, steps, and reads. */
export function fitting({xs, ys}: Batch): Contestant[] {
  const prepare = () => void enableWasmTraining();
  const build = () => {
    const model = (SUBJECTS[0] as (typeof SUBJECTS)[number]).build();
    model.compile({optimizer: train.sgd(1e-9), loss: 'meanSquaredError', metrics: ['accuracy']});
    return model;
  };
  const options = {loss: halfSquaredError(), select: topK({k: K})};
  const [looped, fitted] = [build(), build()];
  const step = ohemStep(looped, options);
  const rows = xs.shape[0] as number;
  const cut = (tensor: Tensor, start: number) => {
    const [, ...shape] = tensor.shape;
    return slice(tensor, [start, ...shape.map(() => 0)], [N, ...shape]);
  };
  const loop = async () => {
    for (let start = 0; start < rows; start += N) {
      const {batchXs, batchYs} = tidy(() => ({batchXs: cut(xs, start), batchYs: cut(ys, start)}));
      await step(batchXs, batchYs).read();
      batchXs.dispose();
      batchYs.dispose();
    }
  };
  const fit = () => fitOhem(fitted, xs, ys, {...options, batchSize: N, verbose: 0, seed: 1});
  return [
    {name: 'loop of ohemStep', prepare, run: loop},
    {name: 'fitOhem', prepare, run: fit},
  ];
}
