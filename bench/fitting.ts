import {gatherND, keep, range, reshape, type Tensor, tidy, train} from '@tensorflow/tfjs-core';
import {fitOhem, halfSquaredError, ohemStep, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import type {Contestant} from './interleaved';
import {type Batch, SUBJECTS} from './models';

/** Rows of a batch, those that are kept of it, and epochs. */
const [N, K, EPOCHS] = [512, 384, 2];

/**
 * `fitOhem`, with shuffling and accuracy, beside a loop of `ohemStep` that does as little as it
 * can: it steps through batches that are cut already, and reads.
 */
export function fitting({xs, ys}: Batch): Contestant[] {
  const prepare = () => void enableWasmTraining();
  const [looped, fitted] = [0, 1].map(() => {
    const model = (SUBJECTS[0] as (typeof SUBJECTS)[number]).build();
    model.compile({optimizer: train.sgd(1e-9), loss: 'meanSquaredError', metrics: ['accuracy']});
    return model;
  }) as [Parameters<typeof fitOhem>[0], Parameters<typeof fitOhem>[0]];
  const options = {loss: halfSquaredError(), select: topK({k: K})};
  const rowsAt = (tensor: Tensor, start: number) =>
    keep(tidy(() => gatherND(tensor, reshape(range(start, start + N, 1, 'int32'), [N, 1]))));
  const starts = Array.from({length: (xs.shape[0] as number) / N}, (_, batch) => batch * N);
  const batches = starts.map((start) => ({xs: rowsAt(xs, start), ys: rowsAt(ys, start)}));
  const loop = async () => {
    const step = ohemStep(looped, options);
    for (let epoch = 0; epoch < EPOCHS; epoch++) {
      for (const batch of batches) await step(batch.xs, batch.ys).read();
    }
  };
  const fit = () => fitOhem(fitted, xs, ys, {...options, epochs: EPOCHS, batchSize: N, verbose: 0, seed: 1});
  return [
    {name: 'loop of ohemStep', prepare, run: loop},
    {name: 'fitOhem', prepare, run: fit},
  ];
}
