import {cast, dispose, gather, oneHot, slice, type Tensor, tensor2d, tidy} from '@tensorflow/tfjs-core';
import {categoricalCrossentropy} from 'ohem-tfjs';
import {type Batch, batchesOf} from './batches';
import {classScores} from './classScores';
import {recurrentNetwork} from './network';
import {stepRules} from './rules';
import {BLOCKS, drawSequences, isRepeated, LENGTH, PHRASE, SYMBOLS, TIMES} from './sequences';
import type {Task} from './task';

export const NEXT_SYMBOLS = {
  ...{sequences: 3200, testSequences: 500, symbols: SYMBOLS, phrase: PHRASE, times: TIMES, blocks: BLOCKS},
  ...{units: 24, batchSize: 32, learningRate: 0.01, measureEvery: 80},
};

/** A recurrent network that predicts the next symbol; only some of the symbols can be predicted. */
export function nextSymbols(seed: number): Task {
  const {sequences, testSequences, units, batchSize, learningRate, measureEvery} = NEXT_SYMBOLS;
  const training = predicted(drawSequences(sequences, 2 * seed));
  const test = predicted(drawSequences(testSequences, 2 * seed + 1));
  const repeated = Array.from({length: LENGTH - 1}, (_, step) => step).filter((step) => isRepeated(step + 1));
  const ofRepeated = (values: Tensor) => gather(values, repeated, 1);
  return {
    ...{name: 'sequences', rules: stepRules(seed), loss: categoricalCrossentropy(), learningRate, measureEvery},
    model: () => recurrentNetwork(SYMBOLS, units, seed),
    batchOf: batchesOf(training, batchSize, seed),
    measurer: () => (model) =>
      tidy(() => {
        const found = model.predict(test.xs, {batchSize: testSequences}) as Tensor;
        return classScores(ofRepeated(found), ofRepeated(test.ys));
      }),
    dispose() {
      for (const {xs, ys} of [training, test]) dispose([xs, ys]);
    },
  };
}

/** Each symbol but the last as input, and the one behind it as target; all one-hot. */
function predicted(symbols: Uint8Array): Batch {
  const count = symbols.length / LENGTH;
  return tidy(() => {
    // On wasm, oneHot with the type float32 writes the bytes of integers.
    const all = cast(oneHot(tensor2d(Int32Array.from(symbols), [count, LENGTH], 'int32'), SYMBOLS), 'float32');
    const from = (step: number) => slice(all, [0, step, 0], [count, LENGTH - 1, SYMBOLS]);
    return {xs: from(0), ys: from(1)};
  });
}
