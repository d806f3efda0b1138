import type {RunResult} from '../../../../examples/mnist/experiment/results';
import type {Checkpoint} from '../../../../examples/mnist/node/checkpoint';

/** A checkpoint in the middle of the second of two runs. */
export function exampleCheckpoint(): Checkpoint {
  return {
    settings: {steps: 3, learningRate: 3e-4, seed: 1, backend: 'wasm', runs: ['8/4', '8/4 random']},
    data: {source: 'drawn', description: 'digits drawn by this example', trainCount: 60, testCount: 10},
    request: {drawn: {train: 60, test: 10}},
    fingerprint: 'abc',
    state: {
      finished: [result('8/4', 'hardest', 3)],
      current: {
        result: result('8/4 random', 'random', 2),
        stepTimes: [12.5, 11.25],
        weights: [Float32Array.of(0, -0, 1 / 3, 1e-42, -1e30, Number.NaN), new Float32Array(0), Float32Array.of(7)],
      },
    },
  };
}

function result(name: string, rule: RunResult['rule'], steps: number): RunResult {
  return {
    name,
    n: 8,
    k: 4,
    rule,
    steps: Array.from({length: steps}, (_, step) => step + 1),
    selectedLoss: new Array<number>(steps).fill(0.4567891),
    batchLoss: new Array<number>(steps).fill(0.3),
    testAccuracy: [{step: 0, accuracy: 0.1}],
    histograms: [{step: 1, batch: [8, 0], selected: [4, 0]}],
    msPerStep: 11.25,
  };
}
