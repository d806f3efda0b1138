import {oneHot, ones, slice, type Tensor, tensor1d, zeros} from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import {type CustomCallbackArgs, type LayersModel, type Logs, layers, sequential} from '@tensorflow/tfjs-layers';
import {all, fitOhem, fitOhemDataset} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {FIT_CASES, mlp, ROWS} from '../support/fitModels';
import {weightValues} from '../support/tinyModel';

const EXACT = {absolute: 1e-6, relative: 1e-6};

/** Records the handlers that are called, with the number of the batch or epoch and the logs. */
function noting() {
  const calls: {what: string; at: number; logs: Logs}[] = [];
  const note = (what: string) => (at: number, logs?: Logs) => void calls.push({what, at, logs: {...logs}});
  const callbacks: CustomCallbackArgs = {
    ...{onEpochBegin: note('onEpochBegin'), onEpochEnd: note('onEpochEnd')},
    ...{onBatchBegin: note('onBatchBegin'), onBatchEnd: note('onBatchEnd')},
    onTrainBegin: () => note('onTrainBegin')(0),
    onTrainEnd: () => note('onTrainEnd')(0),
  };
  return {calls, callbacks};
}

describeOnBackends('fitOhem in place of fit', (backend) => {
  let disable = () => {};
  beforeAll(() => {
    if (backend === 'wasm') disable = enableWasmTraining();
  });
  afterAll(() => disable());

  it.each(FIT_CASES)('gives callbacks the calls and logs of fitDataset: $name', async ({build, x, y, args, own}) => {
    const [theirs, ours] = [build(), build()];
    const [xs, ys] = [x(), y()];
    const dataset = () =>
      tfd.generator(function* () {
        for (const [first, size] of [
          [0, 8],
          [8, 8],
          [16, ROWS - 16],
        ] as const) {
          const part = (tensor: Tensor) => slice(tensor, first, size);
          const named = (all: Tensor[]) =>
            Object.fromEntries(all.map((tensor, i) => [theirs.outputNames[i], part(tensor)]));
          yield {xs: part(xs), ys: Array.isArray(ys) ? named(ys) : part(ys)};
        }
      });
    const options = {epochs: 2, verbose: 0, ...args} as const;
    const [expected, got] = [noting(), noting()];
    await theirs.fitDataset(dataset() as never, {...options, callbacks: expected.callbacks} as never);
    await fitOhemDataset(ours, dataset() as never, {...options, ...own, select: all(), callbacks: got.callbacks});
    expectClose(weightValues(ours).flat(), weightValues(theirs).flat(), EXACT);
    expect(got.calls.map(({what, at}) => [what, at])).toEqual(expected.calls.map(({what, at}) => [what, at]));
    const scale: Record<string, number> = {second_loss: own?.lossWeights ? 0.3 : 1};
    for (const [i, {logs}] of expected.calls.entries()) {
      for (const [name, value] of Object.entries(logs)) {
        const logged = ((got.calls[i] as (typeof got.calls)[number]).logs[name] as number) * (scale[name] ?? 1);
        expectClose([logged], [value], {absolute: 1e-6, relative: 2e-6});
      }
    }
  });

  it.each([{callbacks: {}}, {callbacks: [{}]}, {verbose: true}, {verbose: false}])('takes %j', async (args) => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const [xs, ys] = [ones([8, 5]), oneHot(zeros([8], 'int32'), 3)];
    try {
      await mlp().fit(xs, ys, {verbose: 0, ...args} as never);
      const {history} = await fitOhem(mlp(), xs, ys, {verbose: 0, ...args} as never);
      expect(history.loss).toHaveLength(1);
      expect(write).toHaveBeenCalledTimes('verbose' in args && args.verbose ? 1 : 0);
    } finally {
      write.mockRestore();
    }
  });
});

/** The arguments of docs/getting-started that `fit` accepts and `fitOhem` refuses. */
const REFUSED: [args: object, message: string][] = [
  [{epoch: 3}, "options must have known names, got epoch. Did you mean 'epochs'?"],
  [{callbacks: {onEpochFinish: () => {}}}, 'callbacks must have one of'],
  [{epochs: 0}, 'epochs must'],
  [{epochs: 1.5}, 'epochs must'],
  [{epochs: 2, initialEpoch: 2}, 'initialEpoch must'],
  [{verbose: 3}, 'verbose must'],
  [{validationSplit: 1}, 'validationSplit must'],
  [{classWeight: {0: 1, 1: 1, 2: 1, 7: 2}}, 'classWeight must'],
];

describe('fit accepts, and fitOhem refuses', () => {
  it.each(REFUSED)('%j', async (args, message) => {
    const [xs, ys] = [ones([8, 5]), oneHot(zeros([8], 'int32'), 3)];
    await mlp().fit(xs, ys, {verbose: 0, ...args} as never);
    await expect(fitOhem(mlp(), xs, ys, {verbose: 0, ...args} as never)).rejects.toThrow(`fitOhem: ${message}`);
  });

  it('a binary label outside 0 … 1', async () => {
    const build = (): LayersModel => {
      const model = sequential({layers: [layers.dense({units: 1, activation: 'sigmoid', inputShape: [2]})]});
      model.compile({optimizer: 'sgd', loss: 'binaryCrossentropy'});
      return model;
    };
    const [xs, ys] = [ones([2, 2]), tensor1d([0, 2])];
    await build().fit(xs, ys, {verbose: 0});
    await expect(fitOhem(build(), xs, ys, {verbose: 0})).rejects.toThrow('binaryCrossentropy: yTrue must');
  });
});
